import { failureOf } from '../connector.ts'
import { idWire, listWire, parse, type ListWire } from './wire.ts'

/** The most objects Stripe lists at once. */
export const PAGE = 100

export async function listed(answer: Promise<unknown>): Promise<ListWire> {
  return parse(listWire, await answer)
}

/** Whether the object that a page was to start from is gone. */
export function isGone(error: unknown): boolean {
  const failure = failureOf(error)
  return failure?.kind === 'missing' || (failure?.kind === 'rejected' && failure.code === 'resource_missing')
}

/** All rows, newest first, page by page; `next` gets the id to start after. */
export async function* everyRow(
  next: (after: { starting_after?: string }) => Promise<unknown>,
): AsyncGenerator<unknown> {
  let after: { starting_after?: string } = {}
  for (;;) {
    const page = await listed(next(after))
    yield* page.data
    const last = page.data.at(-1)
    if (!page.has_more || last === undefined) return
    after = { starting_after: parse(idWire, last).id }
  }
}
