/**
 * Joins small clusters to larger ones. k-means makes balls of about equal size, which cuts large classes in pieces and merges small ones;
 * many small balls, joined where neighbours cross from one to the other, follow the classes better.
 */

/**
 * Joins clusters until `wanted` are left: each time the two whose union raises the modularity Q = sum_c (e_cc - a_c^2) most, or
 * lowers it least; of equal ones the first. e_cd is the share of the neighbour relations that are between c and d, counted
 * from either side, and a_c = sum_d e_cd. A union changes Q by 2 (e_cd - a_c a_d), here in whole numbers. Source: Newman 2004, "Fast algorithm for
 * detecting community structure in networks".
 * @param labels cluster of each object, 0..clusters - 1; some clusters may be empty
 * @param neighbours of each object, as indices
 * @returns labels 0..wanted - 1, numbered by the lowest cluster that each holds; fewer if fewer had objects
 */
export function joinClusters(
  labels: Int32Array,
  neighbours: readonly Int32Array[],
  clusters: number,
  wanted: number,
): Int32Array {
  const between = relations(labels, neighbours, clusters);
  const sums = between.map((row) => row.reduce((sum, count) => sum + count, 0));
  const used = new Set(labels);
  let groups = between.map((_, cluster) => [cluster]).filter(([cluster]) => used.has(cluster));
  while (groups.length > wanted) {
    const [into, from] = bestUnion(groups, between, sums);
    for (const [other] of groups) {
      between[into][other] += between[from][other];
      between[other][into] = between[into][other];
    }
    sums[into] += sums[from];
    const joined = groups.find(([first]) => first === from) ?? [];
    groups = groups.filter((group) => group !== joined);
    groups.find(([first]) => first === into)?.push(...joined);
  }
  const numbers = new Int32Array(clusters);
  groups.forEach((group, number) => {
    for (const cluster of group) numbers[cluster] = number;
  });
  return labels.map((label) => numbers[label]);
}

/**
 * Q of clusters, as above, below 1. It tells how well they hold: the share of neighbours in the same cluster, less what chance would
 * give clusters of these sizes. Without that, one cluster of everything would hold best.
 */
export function modularityOf(labels: Int32Array, neighbours: readonly Int32Array[], clusters: number): number {
  const between = relations(labels, neighbours, clusters);
  const sums = between.map((row) => row.reduce((sum, count) => sum + count, 0));
  const all = sums.reduce((sum, count) => sum + count, 0);
  return between.reduce((sum, row, cluster) => sum + row[cluster] / all - (sums[cluster] / all) ** 2, 0);
}

/** [C, C], symmetric: the neighbour relations between objects of each two clusters, each counted from either side. */
function relations(labels: Int32Array, neighbours: readonly Int32Array[], clusters: number): Float64Array[] {
  const counts = Array.from({ length: clusters }, () => new Float64Array(clusters));
  neighbours.forEach((others, row) => {
    for (const other of others) {
      counts[labels[row]][labels[other]]++;
      counts[labels[other]][labels[row]]++;
    }
  });
  return counts;
}

/** The two groups, by their first clusters, whose union is best for the modularity. */
function bestUnion(
  groups: readonly number[][],
  between: readonly Float64Array[],
  sums: readonly number[],
): [into: number, from: number] {
  const all = groups.reduce((sum, [first]) => sum + sums[first], 0);
  let best = { gain: Number.NEGATIVE_INFINITY, union: [0, 0] as [number, number] };
  groups.forEach(([into], at) => {
    for (const [from] of groups.slice(at + 1)) {
      const gain = between[into][from] * all - sums[into] * sums[from];
      if (gain > best.gain) best = { gain, union: [into, from] };
    }
  });
  return best.union;
}
