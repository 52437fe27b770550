import type { Context } from 'hono'
import type { JsonObject } from '../../core/json.ts'
import { badRequest, GraphError } from './errors.ts'
import type { Feed, Keyed } from './feed.ts'
import type { ItemIds } from './mint.ts'
import { preferencesOf, readQuery, type Query } from './query.ts'
import { chance, type GraphState, shuffled } from './state.ts'

/** One round: what it lists is settled when it begins, what it says of each is read when its page is. */
type Walk = {
  readonly keys: readonly number[]
  /** Null: the first round. */
  readonly since: number | null
  readonly until: number
}

type Ask = { readonly query: Query; readonly changeType: string | null }

type Token = {
  readonly feed: unknown
  readonly generation: number
  readonly pageGeneration: number
  readonly ask: Ask
} & (
  | { readonly kind: 'page'; readonly walk: Walk; readonly at: number; readonly wasEmptied: boolean }
  | { readonly kind: 'round'; readonly since: number }
  | { readonly kind: 'anew' }
)

export type DeltaTokens = Map<string, Token>

export type DeltaSource<T extends Keyed> = {
  readonly feed: Feed<T>
  readonly type: string
  /** Refuses what this collection cannot be asked. */
  check(query: Query): void
  /** Of what a first round lists: which, in which order (null: any). */
  first(query: Query): readonly T[] | null
  includes(item: T, query: Query): boolean
  /** `since` null: everything about it; else it was there then and only what changed is needed. */
  view(item: T, query: Query, since: number | null): Promise<JsonObject> | JsonObject
}

const PAGE = 10
const PAGE_MAX = 1_000

/** https://learn.microsoft.com/en-us/graph/delta-query-overview */
export async function answerDelta<T extends Keyed>(
  state: GraphState,
  tokens: DeltaTokens,
  c: Context,
  source: DeltaSource<T>,
): Promise<Response> {
  const url = new URL(c.req.url)
  const { feed } = source
  const step = stepFor(state, tokens, source, url)
  const { ask, walk } = step
  const prefer = preferencesOf(c)
  const size = Math.min(prefer.maxPageSize ?? ask.query.top ?? PAGE, ask.query.top ?? PAGE_MAX, PAGE_MAX)
  const isEmptied = !step.wasEmptied && chance(state, state.switches.emptyPages)
  const end = isEmptied ? step.at : Math.min(step.at + size, walk.keys.length)
  const listed = isEmptied ? [] : repeated(state, source, walk, step.at, end)
  const value: JsonObject[] = isEmptied ? [] : ghosts(state, source, walk, prefer.ids)
  for (const key of listed) {
    const view = await viewOf(state, source, ask, walk, key, prefer.ids)
    if (view !== null) value.push(view)
  }
  const common = { feed, generation: feed.generation, pageGeneration: feed.pageGeneration, ask }
  const isLast = !isEmptied && end >= walk.keys.length
  const next = state.mint.token()
  tokens.set(
    next,
    isLast
      ? { ...common, kind: 'round', since: walk.until }
      : { ...common, kind: 'page', walk, at: end, wasEmptied: isEmptied },
  )
  const link = `${url.origin}${url.pathname}?${isLast ? '$deltatoken' : '$skiptoken'}=${next}`
  const body = {
    '@odata.context': `${url.origin}/v1.0/$metadata#Collection(${source.type})`,
    [isLast ? '@odata.deltaLink' : '@odata.nextLink']: link,
    value,
  }
  return c.json(
    body,
    200,
    prefer.applied.length > 0 ? { 'preference-applied': prefer.applied.join(', ') } : {},
  )
}

type Step = { readonly ask: Ask; readonly walk: Walk; readonly at: number; readonly wasEmptied: boolean }

function stepFor<T extends Keyed>(
  state: GraphState,
  tokens: DeltaTokens,
  source: DeltaSource<T>,
  url: URL,
): Step {
  const { feed } = source
  const skip = url.searchParams.get('$skiptoken')
  const text = skip ?? url.searchParams.get('$deltatoken') ?? ''
  if (text === '') {
    const ask = { query: readQuery(url.searchParams), changeType: url.searchParams.get('changeType') }
    source.check(ask.query)
    return { ask, walk: firstRound(state, source, ask.query), at: 0, wasEmptied: false }
  }
  const token = tokens.get(text)
  // [GK] for the words; 'latest' is for directory objects and drives and means nothing to Outlook.
  if (token === undefined || token.feed !== feed || (token.kind === 'page') !== (skip !== null))
    throw badRequest('Badly formed token.', 'SyncStateInvalid')
  const { ask } = token
  switch (token.kind) {
    case 'anew':
      return { ask, walk: firstRound(state, source, ask.query), at: 0, wasEmptied: false }
    case 'round': {
      if (token.generation !== feed.generation) throw forgotten(state, tokens, token, url)
      const keys = shuffled(state, feed.keysSince(token.since))
      return { ask, walk: { keys, since: token.since, until: feed.seq }, at: 0, wasEmptied: false }
    }
    case 'page':
      if (token.generation !== feed.generation || token.pageGeneration !== feed.pageGeneration)
        throw forgotten(state, tokens, token, url)
      if (chance(state, state.switches.deadNextLinks)) {
        tokens.delete(text)
        throw forgotten(state, tokens, token, url)
      }
      return token
  }
}

function firstRound<T extends Keyed>(state: GraphState, source: DeltaSource<T>, query: Query): Walk {
  const ordered = source.first(query)
  const keys =
    ordered?.map(({ key }) => key) ??
    shuffled(
      state,
      [...source.feed.members.values()].filter((item) => source.includes(item, query)).map(({ key }) => key),
    )
  // "Applying $filter in a delta query returns only up to 5,000 messages":
  // https://learn.microsoft.com/en-us/graph/delta-query-messages
  const kept = query.filter.length > 0 ? keys.slice(0, state.switches.filterCap) : keys
  return { keys: kept, since: null, until: source.feed.seq }
}

async function viewOf<T extends Keyed>(
  { switches }: GraphState,
  source: DeltaSource<T>,
  { query, changeType }: Ask,
  { since }: Walk,
  key: number,
  ids: keyof ItemIds,
): Promise<JsonObject | null> {
  const { feed, type } = source
  const item = feed.members.get(key)
  const wanted = (kind: string) => since === null || changeType === null || changeType === kind
  if (item === undefined) {
    const gone = feed.gone.get(key)
    return gone === undefined || !wanted('deleted') ? null : removed(type, gone[ids])
  }
  if (!source.includes(item, query)) return null
  const isUpdate = since !== null && !feed.isNewSince(key, since)
  if (!wanted(isUpdate ? 'updated' : 'created')) return null
  return source.view(item, query, isUpdate && switches.sparseUpdates ? since : null)
}

function removed(type: string, id: string): JsonObject {
  return { '@odata.type': `#microsoft.graph.${type}`, id, '@removed': { reason: 'deleted' } }
}

/** The keys of a page, and some that were there before: "items may be replayed". */
function repeated<T extends Keyed>(
  state: GraphState,
  { feed }: DeltaSource<T>,
  walk: Walk,
  at: number,
  end: number,
): readonly number[] {
  const keys = walk.keys.slice(at, end)
  if (state.switches.repeats === 0) return keys
  const before = walk.since === null ? walk.keys.slice(0, at) : [...feed.members.keys()]
  const again = keys.flatMap(() =>
    before.length > 0 && chance(state, state.switches.repeats)
      ? [before[Math.floor(state.random() * before.length)] ?? 0]
      : [],
  )
  return shuffled(state, [...keys, ...again])
}

function ghosts<T extends Keyed>(
  state: GraphState,
  { feed, type }: DeltaSource<T>,
  { since }: Walk,
  ids: keyof ItemIds,
): JsonObject[] {
  if (since !== null || !chance(state, state.switches.ghosts)) return []
  const old = [...feed.gone.values()].at(-1)?.[ids]
  return [removed(type, old ?? state.mint.id('AAkA'))]
}

/** `Location` leads to a round that begins anew: https://learn.microsoft.com/en-us/graph/delta-query-overview */
function forgotten({ switches, mint }: GraphState, tokens: DeltaTokens, token: Token, url: URL): GraphError {
  const words = 'The sync state generation is not found; continuation token is either invalid or expired.'
  switch (switches.expiry) {
    case 'gone':
      return new GraphError(410, 'SyncStateNotFound', words)
    case 'gone-with-location': {
      const { feed, generation, pageGeneration, ask } = token
      const anew = mint.token()
      tokens.set(anew, { kind: 'anew', feed, generation, pageGeneration, ask })
      const location = `${url.origin}${url.pathname}?$deltatoken=${anew}`
      return new GraphError(410, 'syncStateNotFound', words, { location })
    }
    case 'not-found':
      return new GraphError(404, 'SyncStateNotFound', words)
    case 'bad-request':
      return new GraphError(400, 'syncStateNotFound', words)
  }
}
