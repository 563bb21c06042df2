import { html, type Content, type Html } from './html.js';

/** A heading with its content, and perhaps headings below it. Names become no addresses: places are numbered. */
export type Section = {
  readonly title: string;
  readonly content: readonly Content[];
  readonly parts?: readonly Section[];
};

/** Sections with something to show. */
const filled = (sections: readonly Section[]): Section[] =>
  sections.filter(({ content, parts = [] }) => content.length > 0 || filled(parts).length > 0);

/** The sections one below the other, those without content left out. */
export const renderSections = (sections: readonly Section[]): Html =>
  html`${filled(sections).map(
    ({ title, content, parts = [] }, k) => html`
      <section aria-labelledby="s${k + 1}">
        <h2 id="s${k + 1}">${title}</h2>
        ${content}
        ${filled(parts).map(
          (part, j) => html`
            <section aria-labelledby="s${k + 1}-${j + 1}">
              <h3 id="s${k + 1}-${j + 1}">${part.title}</h3>
              ${part.content}
            </section>
          `,
        )}
      </section>
    `,
  )}`;

/** Links to all of them. */
export const renderContents = (sections: readonly Section[]): Html =>
  html`<nav aria-labelledby="contents">
    <h2 id="contents">Contents</h2>
    <ol>
      ${filled(sections).map(({ title, parts = [] }, k) => {
        const inner = filled(parts);
        return html`<li>
          <a href="#s${k + 1}">${title}</a>
          ${
            inner.length > 0 &&
            html`<ol>
              ${inner.map((part, j) => html`<li><a href="#s${k + 1}-${j + 1}">${part.title}</a></li>`)}
            </ol>`
          }
        </li>`;
      })}
    </ol>
  </nav>`;
