import type { BadRow, Connector, Cursor, Io, RemoteId } from '../../src/connectors/connector.ts'
import type { Mail, MailAsk, MailPage, Sighting } from '../../src/connectors/mail.ts'
import type { Instant } from '../../src/core/json.ts'
import type { Mailbox, Sighted } from '../../src/core/mail/message.ts'
import { type Client, openClient } from '../../src/runtime/client/client.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { MailBench, MailStand } from './mail-bench.ts'
import { failureOf } from '../../src/connectors/connector.ts'
import { Broken, need, short } from './verdict.ts'

/** A request as the connector gave it to `io.fetch`. */
export type Asked = {
  readonly method: string
  readonly url: URL
  readonly user: string | null
  readonly priority: string
}

/** One connector over one vendor's mailboxes, through the runtime's real client. */
export type MailRig = {
  readonly stand: MailStand
  readonly connector: Connector
  readonly mail: Mail
  readonly io: Io
  readonly client: Client
  /** What was asked for so far, by any process. */
  readonly asked: Asked[]
  /** The same vendor, seen by a process that has just started. */
  restarted(): MailRig
  /** The same with other credentials or settings. */
  with(over: Partial<Pick<MailStand, 'secrets' | 'settings'>>): MailRig
  /** The mailbox that the connection reads under this address. */
  box(address?: string): Promise<Mailbox>
}

export function openMailRig(bench: MailBench, stand: MailStand, asked: Asked[] = []): MailRig {
  const connector = stand.connector()
  const { clock } = stand
  const client = openClient({
    connector,
    connection: bench.name,
    secrets: stand.secrets,
    settings: stand.settings,
    transport: stand.transport ?? (() => Promise.reject(new Error('This connector says it speaks no HTTP'))),
    clock:
      clock === undefined
        ? systemClock
        : { now: () => clock.now, sleep: async (ms) => void (clock.now += Math.ceil(ms)) },
    random: () => 0.5,
    log: () => {},
    pauseUntil: async () => {},
  })
  const io = watched(client.io, null, asked)
  const mail = need(connector.mail, 'the connector has no mail')
  return {
    stand,
    connector,
    mail,
    io,
    client,
    asked,
    restarted: () => openMailRig(bench, stand, asked),
    with: (over) => openMailRig(bench, { ...stand, ...over }, asked),
    async box(address = stand.address) {
      const all = await mail.mailboxes(io)
      const found = all.find((one) => one.addresses.includes(address))
      if (found !== undefined) return found
      throw new Broken(`mailboxes does not name ${address}, but ${short(all)}`)
    },
  }
}

function watched(io: Io, user: string | null, asked: Asked[]): Io {
  return {
    ...io,
    fetch(input, init) {
      const { method, url } = new Request(input, init)
      asked.push({ method, url: new URL(url), user, priority: init?.priority ?? 'auto' })
      return io.fetch(input, init)
    },
    as: (other) => watched(io.as(other), other, asked),
  }
}

/** A little time goes by, as it does between two things that people do. */
export function elapse({ stand }: MailRig, ms: number): void {
  if (stand.clock !== undefined) stand.clock.now += ms
}

type How = {
  /** `restart`: each page is read by a new process. `twice`: each page is lost once and read again. */
  readonly each?: 'restart' | 'twice'
  readonly since?: Instant
  /** What the hub says it need not have read again; nothing unless said. */
  readonly knows?: (id: RemoteId) => boolean
}
type Pulled = { readonly want: MailAsk['want']; readonly page: MailPage }

const PAGES_MAX = 400
/** Between two pages of a hub that is at work. */
const STEP_MS = 1_000

/** A mailbox as the hub reads it: page by page, every cursor through JSON. */
export class Reading {
  /** As last seen, by id. */
  readonly seen = new Map<RemoteId, Sighting>()
  readonly bad: BadRow[] = []
  readonly pages: Pulled[] = []
  cursor: Cursor | null = null
  readonly #rig: MailRig
  readonly #box: Mailbox
  readonly #how: How

  constructor(rig: MailRig, box: Mailbox, how: How = {}) {
    this.#rig = rig
    this.#box = box
    this.#how = how
  }

  async page(want: MailAsk['want']): Promise<MailPage> {
    const { each, since, knows } = this.#how
    const ask = {
      want,
      since: since ?? null,
      known: async (ids: readonly RemoteId[]) => new Set(ids.filter((id) => knows?.(id) === true)),
    }
    const { mail, io } = each === 'restart' ? this.#rig.restarted() : this.#rig
    let page = await mail.pull(io, this.#box, this.cursor, ask)
    if (each === 'twice') page = await mail.pull(io, this.#box, this.cursor, ask)
    for (const one of page.sightings) this.seen.set(one.id, one)
    this.bad.push(...page.bad)
    this.pages.push({ want, page })
    this.cursor = throughJson(page.cursor)
    elapse(this.#rig, STEP_MS)
    return page
  }

  /** Live pages until caught up. */
  async live(): Promise<MailPage> {
    for (let n = 0; n < PAGES_MAX; n++) {
      const page = await this.page('live')
      if (!page.more) return page
    }
    throw new Broken(`\`more\` is still true after ${PAGES_MAX} live pages`)
  }

  /** As the hub does: live before each page of the backfill, until nothing is left of either. */
  async everything(onBackfill: (n: number) => unknown = () => {}): Promise<void> {
    for (let n = 0; n < PAGES_MAX; n++) {
      const { backfill } = await this.live()
      if (backfill.kind === 'done') return
      await this.page('backfill')
      await onBackfill(n)
    }
    throw new Broken(`The backfill is not done after ${PAGES_MAX} pages`)
  }

  /** A minute later, and all there is to it: what was left to a backfill too. */
  async later(): Promise<void> {
    elapse(this.#rig, 61_000)
    await this.everything()
  }

  sighted(id: RemoteId, what: string): Sighted {
    const one = this.seen.get(id)
    if (one?.kind === 'message') return one.sighted
    const row = this.bad.find((bad) => bad.id === id)
    const became =
      one === undefined ? (row === undefined ? 'was never sighted' : `is bad: ${row.problem}`) : 'is gone'
    throw new Broken(`${what} (${id}) should be sighted, but ${became}`)
  }

  /** Which of the ids no page said anything about. */
  unaccounted(ids: readonly RemoteId[]): readonly RemoteId[] {
    const bad = new Set(this.bad.map(({ id }) => id))
    return ids.filter((id) => !this.seen.has(id) && !bad.has(id))
  }

  /** Sightings and bad rows of the pages from `first` on. */
  since(first: number): readonly Sighting[] {
    return this.pages.slice(first).flatMap(({ page }) => page.sightings)
  }
}

/** What the hub keeps of a cursor. */
function throughJson(cursor: Cursor): Cursor {
  return JSON.parse(JSON.stringify(cursor)) as Cursor
}

/** Does it, if the vendor lets it; a failure has to be one that the runtime can make something of. */
export async function allowingFailure(act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (failureOf(error) !== null) return
    throw new Broken(`A page that breaks off should fail with a VendorError, but threw ${String(error)}`, {
      cause: error,
    })
  }
}
