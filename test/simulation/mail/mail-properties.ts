import type { Run, Violation } from '../run.ts'
import { expected, othersIn, type World } from './expected.ts'
import { isOurs, type Level, MOODS, type Mood } from './moods.ts'
import { placeOf } from './place.ts'
import type { Post, Written } from './post.ts'

type Sighting = {
  readonly rep: string
  readonly id: string
  readonly verdict: string
  readonly reason: string | null
  readonly content: Level | null
  readonly message: number | null
  readonly recheck: boolean
}
type Message = {
  readonly id: number
  readonly thread: number
  readonly state: string
  readonly content: Level
  readonly direction: string
  readonly subject: string | null
  readonly text: string | null
  readonly activity: number | null
  readonly isLive: boolean
  readonly shown: string | null
  readonly contact: number | null
}
type Book = {
  readonly run: Run
  readonly post: Post
  readonly world: World
  readonly sightings: ReadonlyMap<string, Sighting>
  readonly messages: ReadonlyMap<number, Message>
  /** The letter that each message is, by the ids under which mailboxes show it. */
  readonly letterOf: ReadonlyMap<number, Written>
}

const violation = (message: string): Violation => ({ property: 'Mail', message })

/** What became of mail, held against what its authors and owners did. */
export async function mailProperties(run: Run): Promise<readonly Violation[]> {
  const { post, ground } = run
  const { mail } = ground
  if (post === null || mail === null) return []
  if (mail.forbidden.length > 0) return [violation(`sent to a mailbox: ${mail.forbidden.join(', ')}`)]
  const book = await open(run, post)
  const found = [
    ...(await accounted(book)),
    ...(await loggedOnce(book)),
    ...(await heldByContacts(book)),
    ...threaded(book),
    ...(await silent(book)),
    ...(await madeBySending(book)),
    ...(await derivedRight(book)),
  ]
  return found
}

const keyOf = ({ rep, id }: { readonly rep: string; readonly id: string }) => `${rep} ${id}`

async function open(run: Run, post: Post): Promise<Book> {
  const { sql, rules } = run.ground
  const rows = await sql<Sighting[]>`
    select b.address as rep, s.remote_id as id, s.verdict, s.reason, s.content, s.message_id as message, s.recheck
    from sightings s join mailboxes b on b.stream_id = s.stream_id order by 1, 2`
  const messages = await sql<Message[]>`
    select m.id, m.thread_id as thread, m.state, m.content, m.direction, m.subject, m.text, a.id as activity,
      a.archived_at is null as "isLive", a.subject as shown, a.contact_id as contact
    from messages m left join activities a on a.id = m.id order by m.id`
  const contacts = await sql<{ address: string }[]>`
    select distinct unnest(emails) as address from contacts where archived_at is null`
  const ever = await sql<{ address: string }[]>`
    select distinct m[1] as address from (
      select changes::text as text from history where kind = 'contact'
      union all select emails::text from contacts
    ) t, regexp_matches(t.text, '[a-z0-9]+@[a-z0-9.]+', 'g') m`
  const sightings = new Map(rows.map((row) => [keyOf(row), row]))
  const letterOf = new Map<number, Written>()
  for (const copy of post.copies) {
    const message = sightings.get(keyOf(copy))?.message ?? null
    if (message !== null && copy.of.kind !== 'draft') letterOf.set(message, copy.of)
  }
  return {
    run,
    post,
    world: {
      mood: MOODS[rules.mood],
      moodChanged: post.moodChanged,
      contacts: new Set(contacts.map(({ address }) => address)),
      everContacts: new Set(ever.map(({ address }) => address)),
    },
    sightings,
    messages: new Map(messages.map((row) => [row.id, row])),
    letterOf,
  }
}

const outcomeOf = (row: Sighting | undefined): string => {
  if (row === undefined) return 'absent'
  return row.verdict === 'filtered' ? (row.reason ?? 'no reason') : row.verdict
}

/** Each message of each mailbox ended as what it is; nothing else is there, and nothing waits. */
async function accounted({ run, post, world, sightings }: Book): Promise<readonly Violation[]> {
  const { mail } = run.ground
  if (mail === null) return []
  const found: Violation[] = []
  const known = new Set(post.copies.map(keyOf))
  for (const [key, row] of sightings) {
    // Microsoft reports removals of what was never there.
    if (!known.has(key) && outcomeOf(row) !== 'gone')
      found.push(violation(`${key} is ${outcomeOf(row)}, and nobody wrote it`))
    if (row.recheck) found.push(violation(`${key} waits to be read again for ever`))
  }
  for (const copy of post.copies) {
    const row = sightings.get(keyOf(copy))
    const place = placeOf(mail, copy)
    // Whatever took it away there (a delete, an import, a draft's new id), nobody can tell the hub of it.
    if (place.kind === 'gone' && post.gaps.has(copy.rep) && copy.settled !== 'gone') copy.mayLinger = true
    const wanted = expected(copy, place, world)
    const is = outcomeOf(row)
    if (!wanted.has(is)) {
      const where = `${copy.of.kind} letter ${copy.of.n} of ${keyOf(copy)} (${place.kind} ${place.names.join()})`
      found.push(violation(`${where} is ${is}, not ${[...wanted].join(' or ')}`))
    }
    const isOnlyDeleted = copy.acts.length > 0 && copy.acts.every((act) => act !== 'other')
    if (
      copy.settled === 'logged' &&
      is === 'gone' &&
      isOnlyDeleted &&
      !world.moodChanged &&
      !copy.of.wasWithdrawn
    ) {
      const isKept = row !== undefined && row.content !== null
      if (isKept !== (world.mood.deleted === 'keep'))
        found.push(
          violation(
            `${keyOf(copy)} was deleted, and its letter ${copy.of.n} ${isKept ? 'is kept' : 'is lost'}`,
          ),
        )
    }
    copy.settled = is
    copy.acts = []
  }
  post.gaps.clear()
  post.moodChanged = false
  return found
}

/** Copies by which a letter is still logged: those that lie there, and those whose deletion the rules outlive. */
function loggedBy({ post, sightings }: Book): ReadonlyMap<Written, readonly Sighting[]> {
  const rows = post.copies.flatMap((copy) => {
    const row = sightings.get(keyOf(copy))
    return row === undefined || row.content === null ? [] : [{ of: copy.of, row }]
  })
  return new Map(
    [...Map.groupBy(rows, ({ of }) => of)].map(([of, group]) => [of, group.map(({ row }) => row)]),
  )
}

const RANK: Readonly<Record<Level, number>> = { none: 0, subject: 1, full: 2 }

/** One live activity for every letter that some mailbox logs, with as much of it as the most open of them keeps. */
async function loggedOnce(book: Book): Promise<readonly Violation[]> {
  const { run, messages, world } = book
  const found: Violation[] = []
  const logged = loggedBy(book)
  const used = new Map<number, Written>()
  for (const [{ n }, rows] of logged) {
    const ids = new Set(rows.map(({ message }) => message))
    if (ids.size !== 1) found.push(violation(`letter ${n} is ${ids.size} messages: ${[...ids].join()}`))
  }
  for (const [written, rows] of logged) {
    const { n } = written
    const id = rows[0]?.message ?? null
    const message = id === null ? undefined : messages.get(id)
    if (
      id === null ||
      message === undefined ||
      message.state !== 'kept' ||
      !message.isLive ||
      message.activity === null
    ) {
      found.push(violation(`letter ${n} is logged, yet its message ${id} is ${message?.state ?? 'missing'}`))
      continue
    }
    const other = used.get(id)
    if (other !== undefined) found.push(violation(`letters ${other.n} and ${n} are one message`))
    used.set(id, written)
    const level = Math.max(...rows.map((row) => RANK[levelNow(world.mood, row)]))
    if (RANK[message.content] !== level) found.push(violation(`letter ${n} is kept at ${message.content}`))
    const marks = (text: string | null, mark: string) => text?.includes(`zq${n}${mark}z`) === true
    if (marks(message.subject, 's') !== level > 0)
      found.push(violation(`the subject of letter ${n} is ${message.subject}`))
    if (marks(message.shown, 's') !== level > 0)
      found.push(violation(`the activity of letter ${n} is called ${message.shown}`))
    if (marks(message.text, 'b') !== level > 1)
      found.push(violation(`the text of letter ${n} is ${message.text}`))
    const isSent = isOurs(written.letter.from?.address ?? '')
    if (isSent !== (message.direction === 'sent'))
      found.push(violation(`letter ${n} was ${message.direction}`))
  }
  for (const [id, message] of messages)
    if (message.state === 'kept' && !used.has(id))
      found.push(violation(`message ${id} is kept, and no mailbox logs it`))
    else if (message.state !== 'kept' && message.isLive)
      found.push(violation(`message ${id} is ${message.state} and shows`))
  const emails = await run.ground.sql<{ n: number }[]>`
    select count(*) as n from activities where type = 'email' and archived_at is null`
  if (emails[0]?.n !== used.size)
    found.push(violation(`${emails[0]?.n} emails show, ${used.size} were logged`))
  return found
}

/** What was deleted keeps the level it had. */
const levelNow = (mood: Mood, row: Sighting): Level => {
  if (row.verdict === 'gone' && row.content !== null) return row.content
  return Object.entries(mood.content).find(([rep]) => rep === row.rep)?.[1] ?? 'none'
}

/** Activities stand on who took part, wherever that is a contact. */
async function heldByContacts({ run, post, world, messages, letterOf }: Book): Promise<readonly Violation[]> {
  const found: Violation[] = []
  const people = await run.ground.sql<
    { message: number; address: string; contact: number | null; holder: number | null }[]
  >`
    select p.message_id as message, p.address, p.contact_id as contact, c.id as holder
    from message_participants p
    left join contacts c on p.address = any(c.emails) and c.archived_at is null
    where p.side = 'them' order by 1, 2`
  for (const { message, address, contact, holder } of people)
    if (holder !== null && contact === null)
      found.push(violation(`${address} of message ${message} is contact ${holder}, and not known as one`))
  const history = await run.ground.sql<{ id: number; text: string }[]>`
    select record_id as id, changes::text as text from history where kind = 'contact' and changes::text like '%@%'`
  const addresses = Map.groupBy(history, ({ id }) => id)
  for (const [id, message] of messages) {
    const written = letterOf.get(id)
    if (message.state !== 'kept' || written === undefined) continue
    const copies = post.copies.filter(({ of }) => of === written)
    const others = new Set(copies.flatMap(othersIn))
    if (message.contact === null) {
      const known = people.find((one) => one.message === id && one.holder !== null)
      if (known !== undefined)
        found.push(
          violation(
            `letter ${written.n} stands on nobody, though ${known.address} is contact ${known.holder}`,
          ),
        )
      if (
        world.mood.strangers === 'filter' &&
        known === undefined &&
        ![...others].some((one) => world.everContacts.has(one))
      )
        found.push(violation(`letter ${written.n} is among strangers and logged`))
      continue
    }
    const said = (addresses.get(message.contact) ?? []).map(({ text }) => text).join()
    if (![...others].some((address) => said.includes(address)))
      found.push(
        violation(`letter ${written.n} stands on contact ${message.contact}, who took no part in it`),
      )
  }
  return found
}

/** Letters that answer each other are one thread, in whatever order they came; others are not. */
function threaded({ post, messages, letterOf }: Book): readonly Violation[] {
  const found: Violation[] = []
  const kept = [...letterOf].filter(([id]) => messages.get(id)?.state === 'kept')
  const near = groups(kept.map(([, { letter }]) => letter))
  const far = groups(post.written.map(({ letter }) => letter))
  for (const [i, [a, one]] of kept.entries())
    for (const [b, two] of kept.slice(i + 1)) {
      const together = messages.get(a)?.thread === messages.get(b)?.thread
      const belong = sameGroup(near, one, two)
      if (belong && !together) found.push(violation(`letters ${one.n} and ${two.n} are two threads`))
      if (together && !sameGroup(far, one, two))
        found.push(violation(`letters ${one.n} and ${two.n} are one thread`))
    }
  return found
}

type Ids = Pick<Written['letter'], 'messageId' | 'inReplyTo' | 'references'>
const idsOf = ({ messageId, inReplyTo, references }: Ids): readonly string[] =>
  [messageId, inReplyTo, ...references].filter((id) => id !== null)

/** The root of each Message-ID, where those that one letter names belong together. */
function groups(letters: readonly Ids[]): ReadonlyMap<string, string> {
  const up = new Map<string, string>()
  const root = (id: string): string => {
    const parent = up.get(id) ?? id
    return parent === id ? id : root(parent)
  }
  for (const one of letters) {
    const ids = idsOf(one)
    for (const id of ids) up.set(root(id), root(ids[0] ?? id))
  }
  return new Map([...up.keys()].map((id) => [id, root(id)]))
}

function sameGroup(of: ReadonlyMap<string, string>, one: Written, two: Written): boolean {
  const [a] = idsOf(one.letter)
  const [b] = idsOf(two.letter)
  return a !== undefined && b !== undefined && (of.get(a) ?? a) === (of.get(b) ?? b)
}

/** No word of a letter stands anywhere, but for what the letter is kept with. */
async function silent(book: Book): Promise<readonly Violation[]> {
  const { sql } = book.run.ground
  const tables = await sql<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1`
  const parts = tables.map(
    ({ name }) =>
      `select '${name}' as place, m[1] as n, m[2] as part from ${name} t, regexp_matches(t::text, 'zq([0-9]+)([sbqn])z', 'g') m`,
  )
  const words = await sql.unsafe<{ place: string; n: string; part: string }[]>(
    `select distinct place, n, part from (${parts.join(' union all ')}) t order by 1, 2, 3`,
  )
  const levels = new Map<number, number>()
  for (const [id, { n }] of book.letterOf) {
    const message = book.messages.get(id)
    if (message?.state === 'kept') levels.set(n, RANK[message.content])
  }
  return words.flatMap(({ place, n, part }) => {
    const level = levels.get(Number(n)) ?? -1
    const allowed = part === 'n' ? 0 : part === 's' ? 1 : 2
    return level >= allowed
      ? []
      : [violation(`words (${part}) of letter ${n} stand in ${place}, kept at ${level}`)]
  })
}

/** Mail makes contacts of those whom we wrote to, and of nobody else. */
async function madeBySending({ run, post, world, sightings }: Book): Promise<readonly Violation[]> {
  const made = await run.ground.sql<{ id: number; text: string }[]>`
    select record_id as id, changes::text as text from history
    where kind = 'contact' and op = 'create' and source in ('gmail', 'outlook') order by id`
  const found = made.flatMap(({ id, text }) =>
    [...post.wroteTo].some((address) => text.includes(address))
      ? []
      : [violation(`contact ${id} was made of received mail: ${text}`)],
  )
  for (const copy of post.copies) {
    if (!copy.isOwn || copy.wasSorted || copy.of.kind !== 'plain') continue
    if (sightings.get(keyOf(copy))?.verdict !== 'logged') continue
    for (const address of othersIn(copy))
      if (!world.everContacts.has(address))
        found.push(violation(`we wrote to ${address} (letter ${copy.of.n}), who is no contact`))
  }
  return found
}

/** What was derived from mail is what the mail says. */
async function derivedRight({ run }: Book): Promise<readonly Violation[]> {
  const wrong = await run.ground.sql<{ id: number; is: string; was: string }[]>`
    select c.id, concat_ws(' ', c.last_contacted_at, c.last_replied_at) as is,
      concat_ws(' ', m.contacted, m.replied) as was
    from contacts c left join lateral (
      select max(m.at) filter (where m.direction = 'sent') as contacted,
        max(m.at) filter (where m.direction = 'received' and p.role = 'from') as replied
      from message_participants p join messages m on m.id = p.message_id
      where p.contact_id = c.id and m.state = 'kept'
    ) m on true
    where c.archived_at is null
      and (c.last_contacted_at is distinct from m.contacted or c.last_replied_at is distinct from m.replied)`
  return wrong.map(({ id, is, was }) =>
    violation(`contact ${id} was last in touch at ${is}, its mail says ${was}`),
  )
}
