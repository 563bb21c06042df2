/**
 * Refuses pictures that were changed while they were read: what was made of them would stand under the hash of what they had been.
 *
 * @param folder where they lie, for the message
 * @param listed what they were when they were listed
 * @param now what they are once they have been read
 * @throws Error saying how to go on
 */
export const expectUnchanged = (folder: string, listed: string, now: string): void => {
  if (listed === now) return;
  throw new Error(
    `Expected the files of ${folder} to stay as they were while they were read, but some changed: run the same command again, which reads them as they are`,
  );
};
