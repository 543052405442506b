/** The vote of neighbours and the confident share, spelled out. */

/** The indices of the `k` rows with the smallest Euclidean distance to each row, itself left out; ties to the lower index. */
export function nearest(rows: ArrayLike<number>, dimension: number, k: number): number[][] {
  const count = rows.length / dimension;
  const distance = (i: number, j: number) => {
    let sum = 0;
    for (let c = 0; c < dimension; c++) sum += (rows[i * dimension + c] - rows[j * dimension + c]) ** 2;
    return sum;
  };
  return Array.from({ length: count }, (_, i) => {
    const others = Array.from({ length: count }, (_, j) => j).filter((j) => j !== i);
    return others.sort((a, b) => distance(i, a) - distance(i, b) || a - b).slice(0, k);
  });
}

/** The commonest label among a row's neighbours; of equals the row's own, else the lowest. */
export function vote(labels: ArrayLike<number>, neighbours: readonly ArrayLike<number>[]): number[] {
  return neighbours.map((others, row) => {
    const counts = new Map<number, number>();
    for (const other of Array.from(others)) counts.set(labels[other], (counts.get(labels[other]) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const winners = [...counts].filter(([, count]) => count === most).map(([label]) => label);
    return winners.includes(labels[row]) ? labels[row] : Math.min(...winners);
  });
}
