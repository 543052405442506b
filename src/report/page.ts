/** A report as one self-contained HTML file: figures, charts, pictures, the configuration. */
import type { Config } from '../romo/config.ts';
import type { Figures } from '../romo/figures/figures.ts';
import { CUTS, DIRECTIONS, type Direction, type RetrievalFigures } from '../romo/figures/retrieval.ts';
import type { RelabelReport } from '../romo/method/rdl.ts';
import type { StageName } from '../romo/run/run.ts';
import {
  classChart,
  confusionChart,
  type LossPoint,
  lossChart,
  type MapPoint,
  mapChart,
  recallChart,
  relabelChart,
} from './charts.ts';
import type { Cluster, Example, Item } from './contents.ts';
import style from './report.css';

/** Everything that a report shows. */
export interface Report {
  readonly config: Config;
  readonly adapter: string;
  readonly stages: Readonly<Record<StageName, Figures>>;
  readonly stageNames: Readonly<Record<StageName, string>>;
  readonly retrieval: Readonly<Record<Direction, RetrievalFigures>>;
  readonly classNames: readonly string[];
  /** number of held-out pairs */
  readonly queries: number;
  readonly losses: readonly LossPoint[];
  readonly relabels: readonly RelabelReport[];
  readonly map: readonly MapPoint[];
  readonly examples: readonly { best: Example[]; worst: Example[] }[];
  readonly clusters: readonly Cluster[];
}

/** Escapes text for HTML: names come from files and may contain anything. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string) =>
    row
      .map((cell, i) => (i === 0 && tag === 'td' ? `<th scope="row">${cell}</th>` : `<${tag}>${cell}</${tag}>`))
      .join('');
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
  return `<div class="wide"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export const section = (title: string, ...parts: string[]): string =>
  `<section><h2>${escaped(title)}</h2>\n${parts.join('\n')}\n</section>`;

export const figure = (caption: string, content: string): string =>
  `<figure>${content}<figcaption>${escaped(caption)}</figcaption></figure>`;

function stagesTable({ stages, stageNames }: Report): string {
  const rows = (Object.entries(stages) as [StageName, Figures][]).map(([stage, figures]) => [
    escaped(stageNames[stage]),
    percent(figures.imageToPoints),
    percent(figures.pointsToImage),
    percent(figures.clusterAccuracy ?? 0),
  ]);
  return table(['stage', 'mAP image → 3D', 'mAP 3D → image', 'cluster accuracy'], rows);
}

function retrievalTable({ retrieval }: Report): string {
  const rows = (Object.keys(retrieval) as Direction[]).map((direction) => {
    const { meanAveragePrecision, averagePrecisionAt, recallAt } = retrieval[direction];
    const values = [meanAveragePrecision, averagePrecisionAt[10], ...CUTS.map((cut) => recallAt[cut])];
    return [escaped(DIRECTIONS[direction]), ...values.map(percent)];
  });
  return table(['query → answers', 'mAP', 'mAP@10', ...CUTS.map((cut) => `recall@${cut}`)], rows);
}

const picture = (uri: string, text: string): string =>
  `<img src="${uri}" alt="${escaped(text)}" width="80" height="80">`;

function exampleRow({ direction, query, averagePrecision, answers }: Example): string {
  const asksWithImage = direction === 'imageToPoints';
  const side = (item: Item, image: boolean) =>
    picture(image ? item.image : item.cloud, `${item.className}, ${item.id}`);
  const found = answers.map((item) => {
    const right = item.className === query.className;
    const mark = `${right ? '✓' : '✗'} ${escaped(item.className)}`;
    return `<div class="${right ? 'right' : 'wrong'}">${side(item, !asksWithImage)}<small>${mark}</small></div>`;
  });
  const asked = `<div class="query">${side(query, asksWithImage)}<small>${escaped(query.className)}</small><small>AP ${percent(averagePrecision)}</small></div>`;
  return `<div class="row">${asked}<span class="arrow" aria-hidden="true">→</span>${found.join('')}</div>`;
}

function exampleSections({ examples }: Report): string {
  return examples
    .map(({ best, worst }) => {
      const name = DIRECTIONS[(best[0] ?? worst[0]).direction];
      const rows = (some: readonly Example[]) => some.map(exampleRow).join('\n');
      return section(`Best and worst queries, ${name}`, '<h3>Best</h3>', rows(best), '<h3>Worst</h3>', rows(worst));
    })
    .join('\n');
}

function clusterSheets({ clusters }: Report): string {
  return clusters
    .map(({ size, className, purity, items }, number) => {
      const pictures = items.flatMap((item) => [
        picture(item.image, `${item.className}, ${item.id}`),
        picture(item.cloud, `${item.className}, ${item.id}, in 3D`),
      ]);
      const title = `Cluster ${number + 1}: ${size} pairs, ${percent(purity)} ${escaped(className)}`;
      return `<h3>${title}</h3><div class="sheet">${pictures.join('')}</div>`;
    })
    .join('\n');
}

function configTable(config: Config): string {
  const rows = Object.entries(config).flatMap(([key, value]) =>
    typeof value === 'object' && !Array.isArray(value) && value !== null
      ? Object.entries(value).map(([field, inner]) => [`${key}.${field}`, inner] as const)
      : [[key, value] as const],
  );
  return table(
    ['setting', 'value'],
    rows.map(([key, value]) => [escaped(key), escaped(String(value))]),
  );
}

/**
 * A self-contained HTML document that loads nothing: its policy allows pictures and styles inside it, and no scripts.
 * @param title text, already escaped
 * @param intro HTML of the paragraph below the title
 * @param main HTML of the rest
 * @param moreStyle CSS besides that of the report
 */
export const htmlPage = (title: string, intro: string, main: string, moreStyle = '') => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}${moreStyle}</style>
</head>
<body>
<header><h1>${title}</h1>
<p>${intro}</p></header>
<main>
${main}
</main>
</body>
</html>
`;

/** The report as an HTML document. */
export function reportPage(report: Report): string {
  const { config, adapter, classNames, losses, relabels, map, retrieval, queries } = report;
  const stages = [...new Set(losses.map(({ stage }) => stage))];
  const curves = stages.map((stage) =>
    figure(
      `Losses of ${stage}`,
      lossChart(
        losses.filter((point) => point.stage === stage),
        stage,
      ),
    ),
  );
  if (relabels.length > 0) curves.push(figure('Self-labelling, share of the objects', relabelChart(relabels)));
  const confusions = (['imageToPoints', 'pointsToImage'] as const).map((direction) =>
    figure(
      `Class of the nearest answer, ${DIRECTIONS[direction]}, percent of each class's queries`,
      confusionChart(retrieval[direction], classNames, direction),
    ),
  );
  const title = `RoMo on ${escaped(config.data)}`;
  const intro = `Trained on ${config.train} pairs without labels; all figures are for ${queries} held-out pairs. Only the figures use labels.
Adapter: ${escaped(adapter)}. Seed ${config.seed}, preset ${escaped(config.preset)}.`;
  const main = `${section('Figures', stagesTable(report))}
${section('Retrieval in detail', retrievalTable(report), '<p>Figures of the last stage. Within a modality, a query does not count as its own answer. recall@k: share of queries with an object of their class among the first k answers.</p>', `<div class="charts">${figure('Precision over recall, interpolated', recallChart(retrieval))}${figure('Per class', classChart(retrieval))}</div>`)}
${curves.length > 0 ? section('Training', `<div class="charts">${curves.join('')}</div>`) : ''}
${section('Map of the embedding', figure('UMAP of images (dots) and clouds (triangles); where learning worked, partners are close', mapChart(map, classNames)))}
${section('Which classes are taken for which', `<div class="charts">${confusions.join('')}</div>`)}
${exampleSections(report)}
${section('Clusters', '<p>k-means on the mean embedding of each pair; the pairs nearest to the centre come first.</p>', clusterSheets(report))}
${section('Configuration', configTable(config))}`;
  return htmlPage(title, intro, main);
}
