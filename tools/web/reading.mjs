/** The reading guide as a page: docs/reading.md with the sources it links to next to the text. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { marked } from 'marked';
import { createCssVariablesTheme, createHighlighter } from 'shiki';

/** Marks the place of a live figure; other Markdown renderers do not show it. The names are those of web/read/main.ts. */
const FIGURE = /<!-- figure: ([\w-]+) -->/g;

/** A link may also lead to a folder or a document; only code is shown. */
const isCode = (path) => /\.(ts|mjs|wgsl)$/.test(path);

/** The target of a link in docs/reading.md, relative to the root of the repository. */
const pathOf = (link) => normalize(join('docs', link));

function codeLinks(markdown) {
  const links = [...markdown.matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, link]) => pathOf(link));
  return [...new Set(links.filter(isCode))];
}

/** Replaces colours by classes, because the page's content security policy forbids inline styles. */
function withClasses(html) {
  return html
    .replace(/ style="color:var\(--shiki-(?:token-)?([\w-]+)\)"/g, ' class="t-$1"')
    .replace(/ style="[^"]*"/g, '')
    .replace(' tabindex="0"', '');
}

const slug = (title) =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/**
 * @param root the repository
 * @param target dist/web
 * @returns the page's body
 */
export async function buildReading(root, target) {
  const theme = createCssVariablesTheme({ name: 'page', variablePrefix: '--shiki-', fontStyle: false });
  const highlighter = await createHighlighter({ themes: [theme], langs: ['typescript', 'wgsl'] });
  const [head, ...parts] = readFileSync(join(root, 'docs', 'reading.md'), 'utf8').split(/^## /m);
  const written = new Set();
  const sections = parts.map((part) => {
    const end = part.indexOf('\n');
    const title = part.slice(0, end);
    const text = part.slice(end);
    const files = codeLinks(text);
    for (const path of files.filter((file) => !written.has(file))) {
      written.add(path);
      writeFragment(join(root, path), join(target, 'read', 'code', `${path}.html`), highlighter);
    }
    return sectionOf({ title, text, files });
  });
  highlighter.dispose();
  const contents = parts.map((part) => part.slice(0, part.indexOf('\n')));
  const list = contents.map((title) => `<li><a href="#${slug(title)}">${marked.parseInline(title)}</a></li>`);
  return readFileSync(join(root, 'web', 'read', 'body.html'), 'utf8')
    .replace('{{intro}}', render(head.replace(/^# .*$/m, '')))
    .replace('{{contents}}', list.join('\n'))
    .replace('{{sections}}', sections.join('\n'));
}

function writeFragment(source, target, highlighter) {
  const lang = source.endsWith('.wgsl') ? 'wgsl' : 'typescript';
  // No time limit: on a busy machine the first line exceeds it, and the rest of the file would be coloured wrongly.
  const options = { lang, theme: 'page', tokenizeTimeLimit: 0 };
  const html = highlighter.codeToHtml(readFileSync(source, 'utf8').trimEnd(), options);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, withClasses(html));
}

/** A link to code shows it in its section's panel. Other links become plain text: the site holds nothing else of the repository. */
function render(markdown) {
  return marked.parse(markdown).replace(/<a href="(?!#|https?:)([^"]+)">(.*?)<\/a>/g, (_, link, label) => {
    const path = pathOf(link);
    return isCode(path) ? `<a href="read/code/${path}.html" data-code="${path}">${label}</a>` : `<span>${label}</span>`;
  });
}

function sectionOf({ title, text, files }) {
  const html = render(text)
    .replace(/<table>/g, `<div class="scroll" role="region" aria-label="${title}: table" tabindex="0"><table>`)
    .replace(/<\/table>/g, '</table></div>')
    .replace(FIGURE, '<figure class="panel live" id="figure-$1"></figure>');
  const id = slug(title);
  const names = files.map(
    (path, i) =>
      `<button type="button" data-code="${path}" aria-pressed="${i === 0}">${path.replace(/^src\//, '')}</button>`,
  );
  const code =
    files.length > 0
      ? `<div class="code"><div class="files">${names.join('')}</div><div class="listing" role="region" aria-label="${files[0]}" tabindex="0" data-shown="${files[0]}"></div></div>`
      : '';
  const heading = `<h2 id="${id}">${marked.parseInline(title)}</h2>`;
  return `<section class="${code ? 'beside' : 'alone'}" aria-labelledby="${id}"><div class="text">${heading}${html}</div>${code}</section>`;
}
