/**
 * Partial responses: `fields` keeps, `exclude_fields` drops, both as dot paths through objects and arrays.
 * https://mailchimp.com/developer/marketing/docs/methods-parameters/#partial-responses
 */
export function project(
  body: Readonly<Record<string, unknown>>,
  query: { fields?: string | undefined; exclude_fields?: string | undefined },
): Readonly<Record<string, unknown>> {
  const keep = paths(query.fields)
  const drop = paths(query.exclude_fields)
  if (keep.length === 0 && drop.length === 0) return body
  return filterObject(body, '', (path) => keep.length === 0 || keep.some((p) => touches(p, path)), drop)
}

function filterObject(
  value: object,
  prefix: string,
  kept: (path: string) => boolean,
  drop: readonly string[],
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, child] of Object.entries(value)) {
    const path = prefix === '' ? name : `${prefix}.${name}`
    if (kept(path) && !drop.includes(path)) result[name] = filterValue(child, path, kept, drop)
  }
  return result
}

function filterValue(
  value: unknown,
  path: string,
  kept: (path: string) => boolean,
  drop: readonly string[],
): unknown {
  if (Array.isArray(value)) return value.map((item) => filterValue(item, path, kept, drop))
  return typeof value === 'object' && value !== null ? filterObject(value, path, kept, drop) : value
}

/** A wanted path is inside this one, or around it. */
function touches(wanted: string, path: string): boolean {
  return wanted === path || wanted.startsWith(`${path}.`) || path.startsWith(`${wanted}.`)
}

function paths(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
}
