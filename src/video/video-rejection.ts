/**
 * The file cannot serve as a video, for a reason that lies in the file and would be the same tomorrow. A stage records it as a
 * rejection and goes on; every other error is a failure.
 */
export class VideoRejection extends Error {
  override readonly name = 'VideoRejection';

  constructor(
    readonly path: string,
    /** Why, as a person would say it, without the path. */
    readonly reason: string,
  ) {
    super(`${path}: ${reason}`);
  }
}
