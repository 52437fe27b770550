import { byAttribute, type Model } from './model.ts'

const FEWEST = 0.004

/**
 * The model with levels in order: a better level never speaks less for a match than a worse one, whatever a small
 * sample seemed to say. Neighbours out of order are judged as one level (pool adjacent violators).
 */
export function ordered(model: Model): Model {
  const m = byAttribute((attribute) =>
    attribute === 'nameOrder' ? model.m[attribute] : inOrder(model.m[attribute], model.u[attribute]),
  )
  return { ...model, m }
}

function inOrder(m: readonly number[], u: readonly number[]): readonly number[] {
  type Pool = { m: number; u: number; levels: number }
  const pools: Pool[] = []
  m.forEach((chance, level) => {
    pools.push({ m: Math.max(FEWEST, chance), u: Math.max(1e-7, u[level] ?? 0), levels: 1 })
    for (;;) {
      const [before, last] = [pools.at(-2), pools.at(-1)]
      if (before === undefined || last === undefined || before.m / before.u >= last.m / last.u) break
      pools.splice(-2, 2, { m: before.m + last.m, u: before.u + last.u, levels: before.levels + last.levels })
    }
  })
  const ratios = pools.flatMap((pool) => Array.from({ length: pool.levels }, () => pool.m / pool.u))
  return m.map((_, level) => (ratios[level] ?? 1) * Math.max(1e-7, u[level] ?? 0))
}
