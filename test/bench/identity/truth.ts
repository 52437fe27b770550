/** Pairwise, over all pairs in one predicted group against all pairs with one truth. */
export type Accuracy = { readonly precision: number; readonly recall: number; readonly f1: number }

const pairsIn = (sizes: Iterable<number>): number => {
  let sum = 0
  for (const size of sizes) sum += (size * (size - 1)) / 2
  return sum
}

/** `truths`: the truth of row 1, 2, …; `clusters`: the predicted group of the rows that are in one. */
export function accuracyOf(truths: readonly string[], clusters: ReadonlyMap<number, string>): Accuracy {
  const real = new Map<string, number>()
  for (const truth of truths) real.set(truth, (real.get(truth) ?? 0) + 1)
  const predicted = new Map<string, number>()
  const both = new Map<string, number>()
  for (const [row, cluster] of clusters) {
    predicted.set(cluster, (predicted.get(cluster) ?? 0) + 1)
    const joint = `${cluster}\t${truths[row - 1] ?? ''}`
    both.set(joint, (both.get(joint) ?? 0) + 1)
  }
  const [right, said, all] = [pairsIn(both.values()), pairsIn(predicted.values()), pairsIn(real.values())]
  const precision = said === 0 ? 1 : right / said
  const recall = all === 0 ? 1 : right / all
  return {
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
  }
}
