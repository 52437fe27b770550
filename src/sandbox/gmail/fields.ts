import { invalid } from './errors.ts'

type Mask = ReadonlyMap<string, Mask> | 'all'

/** Partial responses: `messages(id,threadId),nextPageToken`, `a/b`, `*`. */
export function project(body: unknown, fields: string): unknown {
  return chosen(body, parse(fields))
}

function chosen(value: unknown, mask: Mask): unknown {
  if (mask === 'all' || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => chosen(item, mask))
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, child]) => {
      const inner = mask.get(key) ?? mask.get('*')
      return inner === undefined ? [] : [[key, chosen(child, inner)] as const]
    }),
  )
}

function parse(fields: string): Mask {
  const words = fields.match(/[A-Za-z0-9_*]+|[(),/]/g) ?? []
  if (words.join('') !== fields.replaceAll(/\s/g, '')) throw invalid(`Invalid field selection ${fields}`)
  let place = 0
  const list = (): Mask => {
    const mask = new Map<string, Mask>()
    for (;;) {
      const name = words[place] ?? ''
      if (!/^[A-Za-z0-9_*]+$/.test(name)) throw invalid(`Invalid field selection ${fields}`)
      place += 1
      mask.set(name, inner())
      if (words[place] !== ',') return mask
      place += 1
    }
  }
  const inner = (): Mask => {
    if (words[place] === '/') {
      place += 1
      const name = words[place] ?? ''
      place += 1
      return new Map([[name, inner()]])
    }
    if (words[place] !== '(') return 'all'
    place += 1
    const mask = list()
    if (words[place] !== ')') throw invalid(`Invalid field selection ${fields}`)
    place += 1
    return mask
  }
  const mask = list()
  if (place < words.length) throw invalid(`Invalid field selection ${fields}`)
  return mask
}
