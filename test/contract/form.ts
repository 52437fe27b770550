export type Tree = string | Tree[] | { [key: string]: Tree }

/** Form fields with bracket keys (`created[gte]=1`, `types[0]=a`) as a tree; keys that count from 0 make a list. */
export function treeOf(form: string): { [key: string]: Tree } {
  const root: { [key: string]: Tree } = {}
  for (const [name, value] of new URLSearchParams(form)) {
    const keys = name.replaceAll(']', '').split('[')
    let at = root
    for (const key of keys.slice(0, -1)) {
      const inner = at[key]
      const next = typeof inner === 'object' && !Array.isArray(inner) ? inner : {}
      at[key] = next
      at = next
    }
    at[keys.at(-1) ?? ''] = value
  }
  return Object.fromEntries(Object.entries(root).map(([key, value]) => [key, withLists(value)]))
}

function withLists(tree: Tree): Tree {
  if (typeof tree === 'string' || Array.isArray(tree)) return tree
  const entries = Object.entries(tree).map(([key, value]) => [key, withLists(value)] as const)
  const isList = entries.length > 0 && entries.every(([key], i) => key === String(i) || key === '')
  return isList ? entries.map(([, value]) => value) : Object.fromEntries(entries)
}
