/** The best one-to-one matching of the rows of a matrix with its columns. */
import { RomoError } from '../tensor/error.ts';

/**
 * The assignment of rows to columns with the least total cost, each row and each column used at most once and as many
 * as possible used. Hungarian method with potentials and shortest augmenting paths (Jonker and Volgenant, Computing 38,
 * 1987): O(n^2 m) for n the smaller, m the larger side.
 * @param cost [rows][columns], finite
 * @returns the column of each row, -1 for a row without one (only if there are more rows than columns)
 * @throws RomoError `shape` where the rows have different lengths or a cost is not finite
 */
export function hungarian(cost: readonly ArrayLike<number>[]): Int32Array {
  const rows = cost.length;
  const columns = rows > 0 ? cost[0].length : 0;
  for (const row of cost) {
    if (row.length !== columns || !Array.prototype.every.call(row, Number.isFinite)) {
      throw new RomoError(
        'shape',
        'hungarian: the cost matrix is ragged or not finite',
        'Pass finite rows of equal length.',
      );
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
  const start = columns; // a column without cost that represents the row being added
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
      // Shifting the potentials makes the edge to the nearest column cost 0, and keeps all reduced costs >= 0.
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
