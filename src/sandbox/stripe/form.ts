// Stripe's v1 API reads form bodies and query strings with bracketed keys: `metadata[k]=v`,
// `expand[]=customer`, `lines[0][amount]=500`. See https://docs.stripe.com/api
export type Tree = { [key: string]: Tree | string }

const SEGMENT = /\[([^\]]*)\]/g

export function decodeForm(encoded: string): Tree {
  const root: Tree = {}
  for (const [name, value] of new URLSearchParams(encoded)) place(root, pathOf(name), value)
  return root
}

export function pathOf(name: string): string[] {
  const open = name.indexOf('[')
  if (open <= 0) return [name]
  return [name.slice(0, open), ...[...name.slice(open).matchAll(SEGMENT)].map((match) => match[1] ?? '')]
}

/** Writes a path the way Stripe's errors name it: `lines[0][amount]`. */
export function nameOf(path: readonly PropertyKey[]): string {
  return path.map((part, i) => (i === 0 ? String(part) : `[${String(part)}]`)).join('')
}

function place(root: Tree, path: readonly string[], value: string): void {
  let at = root
  for (const [i, part] of path.entries()) {
    // `a[]` appends.
    const key = part === '' && i > 0 ? String(Object.keys(at).length) : part
    if (i === path.length - 1) {
      at[key] = value
      return
    }
    const below = at[key]
    if (typeof below === 'object') at = below
    else {
      const fresh: Tree = {}
      at[key] = fresh
      at = fresh
    }
  }
}
