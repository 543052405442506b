/**
 * The two figures that judge an embedding, both computed in float64: mean average precision of cross-modal retrieval, and the
 * accuracy of clusters under their best one-to-one match with classes. Nothing but the evaluation reads labels.
 */
import { RomoError } from '../../tensor/error.ts';

/**
 * Mean average precision: each query ranks the whole gallery by cosine; a hit is an item of the query's class; average precision
 * is the mean, over the hits, of (hits so far) / rank. Ties go to the lower gallery index. A query without any hit in the gallery
 * counts as 0 and stays in the mean. Cost: queries * gallery * (dim + log gallery).
 * @param queries [Q, dim], any length of row (rows are normalised here; a zero row has the cosine 0 with everything)
 * @param queryLabels [Q]
 * @param gallery [G, dim]
 * @param galleryLabels [G]
 * @returns 0..1
 * @throws RomoError `shape` where the lengths do not fit, where there are no queries or no gallery, or on a value that is not finite
 */
export function meanAveragePrecision(
  queries: ArrayLike<number>,
  queryLabels: ArrayLike<number>,
  gallery: ArrayLike<number>,
  galleryLabels: ArrayLike<number>,
  dim: number,
): number {
  let total = 0;
  const asked = { rows: queries, labels: queryLabels };
  for (const { query, ranking } of rankings(asked, { rows: gallery, labels: galleryLabels }, dim)) {
    let hits = 0;
    let precisions = 0;
    for (let rank = 0; rank < ranking.length; rank++) {
      if (galleryLabels[ranking[rank]] !== queryLabels[query]) continue;
      hits += 1;
      precisions += hits / (rank + 1);
    }
    if (hits > 0) total += precisions / hits;
  }
  return total / queryLabels.length;
}

/**
 * The ranking of a gallery for each query in turn: item indices by falling cosine, ties to the lower index. The array is used
 * again for the next query.
 * @throws RomoError `shape` as meanAveragePrecision does
 */
export function* rankings(
  queries: { readonly rows: ArrayLike<number>; readonly labels: ArrayLike<number> },
  gallery: { readonly rows: ArrayLike<number>; readonly labels: ArrayLike<number> },
  dim: number,
): Generator<{ query: number; ranking: Uint32Array }> {
  const queryRows = unitRows(queries.rows, queries.labels.length, dim, 'queries');
  const galleryRows = unitRows(gallery.rows, gallery.labels.length, dim, 'gallery');
  const galleryCount = gallery.labels.length;
  const cosines = new Float64Array(galleryCount);
  const ranking = new Uint32Array(galleryCount);
  for (let query = 0; query < queries.labels.length; query++) {
    for (let item = 0; item < galleryCount; item++) {
      let cosine = 0;
      for (let c = 0; c < dim; c++) cosine += queryRows[query * dim + c] * galleryRows[item * dim + c];
      cosines[item] = cosine;
      ranking[item] = item;
    }
    ranking.sort((a, b) => cosines[b] - cosines[a] || a - b);
    yield { query, ranking };
  }
}

/** @returns the rows [count, dim] scaled to unit length */
function unitRows(values: ArrayLike<number>, count: number, dim: number, name: string): Float64Array {
  if (count === 0 || dim < 1 || values.length !== count * dim) {
    throw new RomoError(
      'shape',
      `meanAveragePrecision: ${name} has ${values.length} values for ${count} labels and ${dim} dimensions`,
      `Pass [labels, dim] values and at least one row`,
    );
  }
  const rows = Float64Array.from(values);
  for (let row = 0; row < count; row++) {
    let squares = 0;
    for (let c = 0; c < dim; c++) squares += rows[row * dim + c] ** 2;
    if (!Number.isFinite(squares)) {
      throw new RomoError(
        'shape',
        `meanAveragePrecision: row ${row} of ${name} holds a value that is not finite`,
        'The model that made it has diverged: lower the learning rate',
      );
    }
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let c = 0; c < dim; c++) rows[row * dim + c] *= scale;
  }
  return rows;
}

/**
 * Cluster accuracy: the share of samples that lie in the cluster which the best one-to-one match gives to their class. With more
 * clusters than classes some clusters stay without a class, and their samples count as wrong (and the other way round).
 * @param predicted cluster of each sample, 0..clusters-1
 * @param truth class of each sample, 0..classes-1
 * @returns 0..1
 * @throws RomoError `shape` where the two lengths differ or are 0; `label` where a value is out of range
 */
export function clusterAccuracy(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  clusters: number,
  classes: number,
): number {
  if (predicted.length !== truth.length || truth.length === 0) {
    throw new RomoError(
      'shape',
      `clusterAccuracy: ${predicted.length} clusters are given for ${truth.length} labels`,
      'Pass one cluster per label, and at least one',
    );
  }
  const cost = Array.from({ length: clusters }, () => new Float64Array(classes)); // minus the samples that agree
  for (let sample = 0; sample < truth.length; sample++) {
    const cluster = predicted[sample];
    const label = truth[sample];
    if (!(cost[cluster] && label in cost[cluster])) {
      throw new RomoError(
        'label',
        `clusterAccuracy: sample ${sample} has cluster ${cluster} and class ${label}, of ${clusters} and ${classes}`,
        'Pass the numbers of clusters and classes that the data have',
      );
    }
    cost[cluster][label] -= 1;
  }
  let agreeing = 0;
  hungarian(cost).forEach((label, cluster) => {
    if (label >= 0) agreeing -= cost[cluster][label];
  });
  return agreeing / truth.length;
}

/**
 * The assignment of rows to columns with the least total cost, each row and each column used at most once and as many as possible
 * used. Hungarian method with potentials and shortest augmenting paths (Jonker and Volgenant, Computing 38, 1987): O(n^2 m) for n
 * the smaller, m the larger side.
 * @param cost [rows][columns], finite
 * @returns the column of each row, -1 for a row that goes without (only where there are more rows than columns)
 * @throws RomoError `shape` where the rows have different lengths or a cost is not finite
 */
export function hungarian(cost: readonly ArrayLike<number>[]): Int32Array {
  const rows = cost.length;
  const columns = rows > 0 ? cost[0].length : 0;
  for (const row of cost) {
    if (row.length !== columns || !Array.prototype.every.call(row, Number.isFinite)) {
      throw new RomoError('shape', 'hungarian: the cost matrix is ragged or not finite', 'Pass rows of equal length');
    }
  }
  if (rows <= columns) return assignRows(cost, rows, columns);
  const transposed = Array.from({ length: columns }, (_, column) => cost.map((row) => row[column]));
  const columnToRow = assignRows(transposed, columns, rows);
  const assignment = new Int32Array(rows).fill(-1);
  columnToRow.forEach((row, column) => {
    assignment[row] = column;
  });
  return assignment;
}

/** rows <= columns: adds one row at a time along the cheapest alternating path to a free column. */
function assignRows(cost: readonly ArrayLike<number>[], rows: number, columns: number): Int32Array {
  const free = -1;
  const start = columns; // a column of no cost that stands for the row being added
  const rowPotential = new Float64Array(rows);
  const columnPotential = new Float64Array(columns + 1);
  const rowOfColumn = new Int32Array(columns + 1).fill(free);
  for (let added = 0; added < rows; added++) {
    const distance = new Float64Array(columns).fill(Number.POSITIVE_INFINITY); // of the path to each column
    const previous = new Int32Array(columns).fill(start); // the column before it on that path
    const visited = new Uint8Array(columns + 1);
    rowOfColumn[start] = added;
    let current = start;
    while (rowOfColumn[current] !== free) {
      visited[current] = 1;
      const row = rowOfColumn[current];
      let nearest = -1;
      for (let column = 0; column < columns; column++) {
        if (visited[column]) continue;
        const reduced = cost[row][column] - rowPotential[row] - columnPotential[column];
        if (reduced < distance[column]) {
          distance[column] = reduced;
          previous[column] = current;
        }
        if (nearest < 0 || distance[column] < distance[nearest]) nearest = column;
      }
      // Shifting the potentials makes the edge to the nearest column free of cost, and keeps all reduced costs >= 0.
      const shift = distance[nearest];
      for (let column = 0; column <= columns; column++) {
        if (visited[column]) {
          rowPotential[rowOfColumn[column]] += shift;
          columnPotential[column] -= shift;
        } else if (column < columns) {
          distance[column] -= shift;
        }
      }
      current = nearest;
    }
    for (; current !== start; current = previous[current]) rowOfColumn[current] = rowOfColumn[previous[current]];
  }
  const assignment = new Int32Array(rows).fill(-1);
  for (let column = 0; column < columns; column++) {
    if (rowOfColumn[column] !== free) assignment[rowOfColumn[column]] = column;
  }
  return assignment;
}
