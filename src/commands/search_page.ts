/** The answers to a query as one self-contained HTML file. */
import { escaped, htmlPage } from '../report/page.ts';
import type { Answer } from '../search/gallery.ts';

export interface Asked {
  /** file of the query */
  readonly path: string;
  /** picture of the query, as a data URI */
  readonly picture: string;
  readonly gallery: string;
  readonly where: string | undefined;
  readonly answers: readonly Answer[];
}

const CARDS = `
.answers { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1rem; padding: 0; list-style: none; }
.answers li, .asked { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; padding: 0.75rem; margin: 0;
  overflow-wrap: anywhere; }
.asked { width: fit-content; max-width: 100%; }
.answers img, .asked img { display: block; width: 8rem; max-width: 100%; aspect-ratio: 1; object-fit: contain; margin: 0 auto 0.5rem;
  image-rendering: pixelated; }
.answers b { font-variant-numeric: tabular-nums; }
.answers span { display: block; color: var(--soft); font-size: 0.85rem; }
@media (max-width: 30rem) { .answers { grid-template-columns: 1fr 1fr; } }
`;

// A gallery may come from a stranger: only pictures of our own form are shown.
const isPicture = (value: unknown): value is string =>
  typeof value === 'string' && /^data:image\/png;base64,[\w+/=]+$/.test(value);

function card({ id, modality, similarity, metadata }: Answer): string {
  const { thumbnail, ...fields } = metadata;
  const kind = modality === 'image' ? 'picture' : '3D';
  const picture = isPicture(thumbnail) ? `<img src="${thumbnail}" alt="${escaped(`${kind} of ${id}`)}">` : '';
  const lines = Object.entries(fields).map(
    ([name, value]) => `<span>${escaped(name)}: ${escaped(String(value))}</span>`,
  );
  return `<li>${picture}<b>${similarity.toFixed(3)}</b> ${escaped(id)}<span>${kind}</span>${lines.join('')}</li>`;
}

export function answersPage({ path, picture, gallery, where, answers }: Asked): string {
  const title = `Similar to ${escaped(path)}`;
  const condition = where === undefined ? '' : ` where ${escaped(where)}`;
  const intro = `The ${answers.length} nearest entries in ${escaped(gallery.replace(/\/\/[^@/]*@/, '//'))}${condition}, by the cosine of their embeddings.`;
  const main = `<p class="asked"><img src="${picture}" alt="the query">${escaped(path)}</p>
<ol class="answers">
${answers.map(card).join('\n')}
</ol>`;
  return htmlPage(title, intro, main, CARDS);
}
