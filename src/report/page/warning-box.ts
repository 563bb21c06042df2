import { html, sentence, type Html } from './html.js';

/** What a reader must know before any number, as a box that is read out as a note; nothing where there is nothing to say. */
export const warningBox = (warnings: readonly string[]): Html | undefined =>
  warnings.length === 0
    ? undefined
    : html`<div class="warnings" role="note" aria-label="Warnings">
        ${warnings.map((text) => html`<p><strong>Warning:</strong> ${sentence(text)}</p>`)}
      </div>`;
