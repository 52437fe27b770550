import { approve, dismiss, retryWrite, takeSide, type ActionResult } from '../runtime/inbox-actions.ts'
import type { Hub } from '../runtime/hub.ts'
import { inboxItem, inboxItems } from '../runtime/status.ts'
import { withHub, type Context } from './context.ts'
import { badInput, EXIT, failure, type ExitCode } from './exit.ts'
import { describeKind, itemJson, tellItem } from './inbox-words.ts'
import { ago, clip } from './output.ts'

export type InboxFilter = { readonly all?: boolean; readonly kind?: string; readonly limit: number }

export async function listInbox(context: Context, { all, kind, limit }: InboxFilter): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const { output } = context
    const state = all === true ? 'all' : 'open'
    const items = await inboxItems(hub, {
      state,
      limit,
      ...(kind === undefined ? {} : { kind: kind.replaceAll(' ', '_') }),
    })
    const open = items.filter((item) => item.state === 'open')
    if (output.json) output.value(items.map(itemJson))
    else if (items.length === 0) output.line('Nothing waits for a person.')
    else {
      const now = hub.clock.now()
      output.table(
        ['id', 'kind', 'what', 'seen', 'since'],
        items.map((item) => [
          String(item.id),
          describeKind(item.kind),
          item.state === 'done'
            ? `${clip(item.title, 100)} (closed: ${item.resolution ?? ''})`
            : clip(item.title, 140),
          String(item.seen),
          ago(item.createdAt, now),
        ]),
        [0, 3],
      )
      output.line()
      output.line('`concord inbox show ID` tells more, and how to settle it.')
    }
    return open.length > 0 ? EXIT.waiting : EXIT.ok
  })
}

export async function showItem(context: Context, id: string): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const item = await inboxItem(hub, idOf(id))
    if (item === undefined) throw badInput(`The inbox has no item ${id}`, '`concord inbox` lists them.')
    if (context.output.json) context.output.value(itemJson(item))
    else for (const line of tellItem(item)) context.output.line(line)
    return EXIT.ok
  })
}

export const approveItem = (context: Context, id: string): Promise<ExitCode> =>
  act(context, id, (hub, item) => approve(hub, item, context.actor))
export const retryItem = (context: Context, id: string): Promise<ExitCode> =>
  act(context, id, (hub, item) => retryWrite(hub, item, context.actor))
export const dismissItem = (context: Context, id: string): Promise<ExitCode> =>
  act(context, id, (hub, item) => dismiss(hub, item, context.actor))

export async function resolveItem(
  context: Context,
  id: string,
  { take }: { readonly take: string },
): Promise<ExitCode> {
  if (take !== 'hub' && take !== 'remote')
    throw badInput(`--take is "${take}"`, 'Say --take hub or --take remote.')
  return act(context, id, (hub, item) => takeSide(hub, item, take, context.actor))
}

async function act(
  context: Context,
  id: string,
  action: (hub: Hub, id: number) => Promise<ActionResult>,
): Promise<ExitCode> {
  return withHub(context, async (hub) => {
    const result = await action(hub, idOf(id))
    if (result.kind === 'refused') {
      const [message = '', fix] = result.message.split(' Fix: ')
      throw failure(message, fix ?? `\`concord inbox show ${id}\` tells what can be done.`)
    }
    if (context.output.json) context.output.value(result)
    else context.output.line(result.message)
    return EXIT.ok
  })
}

function idOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw badInput(`"${text}" is no item's number`, '`concord inbox` lists them.')
  return Number(text)
}
