import { makePrivate, removeMessage, restoreMessage } from '../../../src/runtime/mail/message-actions.ts'
import { mailConnection } from '../../../src/runtime/cycle.ts'
import { TRAPS } from '../../../src/sandbox/graph/index.ts'
import type { Run } from '../run.ts'
import type { Step } from '../vendor-steps.ts'
import { MAIL, type MailGround, type Shelf } from './mail-ground.ts'
import { ANN, BOB, CLEO, isGmail, MOODS, type MoodName, type Rep, REPS } from './moods.ts'
import { placeOf } from './place.ts'
import type { Copy, Post } from './post.ts'

/** What people do with what lies in their mailboxes. It needs no waiting, so that it may happen between two requests. */
export function sortMail(run: Run): string | null {
  const { post, ground, chance } = run
  const { mail } = ground
  if (post === null || mail === null) return null
  const there = post.copies.filter((copy) => placeOf(mail, copy).kind !== 'gone' && copy.of.kind !== 'draft')
  if (there.length === 0) return null
  const copy = chance.pick(chance.maybe(0.5) ? there.slice(-5) : there)
  const did = isGmail(copy.rep) ? atGoogle(run, mail, copy) : atMicrosoft(run, mail, post, copy)
  return `mail: ${copy.rep} letter ${copy.of.n} (${copy.id}): ${did}`
}

function atGoogle({ chance }: Run, { google, shelves }: MailGround, copy: Copy): string {
  const { people } = google
  const { rep, id } = copy
  const shelf = chance.weighted({ Private: 3, Projects: 2, Deals: 2 } satisfies Record<Shelf, number>)
  const label = shelves.get(`${rep} ${shelf}`) ?? ''
  const act = chance.weighted({
    label: 6,
    unlabel: 5,
    trash: 2,
    untrash: 2,
    spam: 2,
    'not spam': 2,
    archive: 1,
    read: 1,
    delete: 2,
  })
  noted(copy, act === 'trash' || act === 'delete' ? act : 'other')
  switch (act) {
    case 'label':
      people.label(rep, id, label)
      return `labelled ${shelf}`
    case 'unlabel':
      people.unlabel(rep, id, label)
      return `not labelled ${shelf}`
    case 'trash':
      people.trash(rep, id)
      break
    case 'untrash':
      people.untrash(rep, id)
      break
    case 'spam':
      people.spam(rep, id)
      break
    case 'not spam':
      people.notSpam(rep, id)
      break
    case 'archive':
      people.archive(rep, id)
      break
    case 'read':
      people.markRead(rep, id)
      break
    case 'delete':
      people.deleteForever(rep, id)
      break
  }
  return act
}

function atMicrosoft({ chance }: Run, { graph, shelves }: MailGround, post: Post, copy: Copy): string {
  const { people } = graph
  const { rep, id } = copy
  const act = chance.weighted({
    move: 8,
    trash: 2,
    back: 3,
    spam: 1,
    categorise: 3,
    read: 1,
    delete: 2,
    reimport: 1,
  })
  noted(copy, act === 'trash' || act === 'delete' ? act : 'other')
  switch (act) {
    case 'move': {
      const shelf = chance.weighted({ Private: 3, Projects: 2, Deals: 4 } satisfies Record<Shelf, number>)
      people.move(rep, id, shelves.get(`${rep} ${shelf}`) ?? '')
      return `moved to ${shelf}`
    }
    case 'trash':
      people.softDelete(rep, id)
      break
    case 'back':
      people.move(rep, id, copy.isOwn ? 'sentitems' : 'inbox')
      break
    case 'spam':
      people.move(rep, id, 'junkemail')
      break
    case 'categorise': {
      const categories = chance.pick([[], ['Private'], ['Blue']])
      people.categorise(rep, id, categories)
      return `categories ${categories.join()}`
    }
    case 'read':
      people.read(rep, id)
      break
    case 'delete':
      people.hardDelete(rep, id)
      break
    case 'reimport':
      post.reimport(copy)
      break
  }
  return act
}

function noted(copy: Copy, act: Copy['acts'][number]): void {
  copy.acts.push(act)
  copy.wasSorted = true
}

export const sorting: Step = (run) => {
  const told = Array.from({ length: run.chance.int(1, 3) }, () => sortMail(run))
  return told.find((line) => line !== null) === undefined ? null : told.filter(Boolean).join('; ')
}

/** A label or folder gets another name: what lies under it becomes private by that, or ceases to be. */
export const renaming: Step = ({ post, ground, chance }) => {
  const { mail } = ground
  if (post === null || mail === null) return null
  const rep = chance.pick(REPS)
  const id = mail.shelves.get(`${rep} Deals`) ?? ''
  const name = chance.pick(['Deals', 'Personal', 'Confidential'])
  if (isGmail(rep)) mail.google.people.renameLabel(rep, id, name)
  else mail.graph.people.renameFolder(rep, id, name)
  for (const copy of post.copies) if (copy.rep === rep) copy.acts.push('other')
  return `mail: Deals of ${rep} is now called ${name}`
}

/** Somebody takes a message out of the hub, or back. */
export const withdrawal: Step = async (run) => {
  const { post, ground, chance } = run
  if (post === null) return null
  const found = await ground.sql<{ id: number; state: string; remotes: string[] }[]>`
    select m.id, m.state, array_agg(b.address || ' ' || s.remote_id) as remotes
    from messages m join sightings s on s.message_id = m.id join mailboxes b on b.stream_id = s.stream_id
    where m.state <> 'withdrawn' group by m.id order by m.id`
  if (found.length === 0) return null
  const { id, state, remotes } = chance.pick(found)
  const one = post.copies.find((copy) => remotes.includes(`${copy.rep} ${copy.id}`))?.of
  if (one === undefined) return null
  const act =
    state === 'kept'
      ? chance.pick(['private', 'removed'] as const)
      : chance.pick(['removed', 'back'] as const)
  if (chance.maybe(0.1)) run.doom('instead of a commit', 0)
  const told = await run.work(`message ${id}: ${act}`, (hub) => {
    if (act === 'back') return restoreMessage(hub, id, 'user:ann')
    return act === 'private' ? makePrivate(hub, id, 'user:ann') : removeMessage(hub, id, 'user:ann')
  })
  const [now] = await ground.sql<{ state: string }[]>`select state from messages where id = ${id}`
  one.withdrawn = now?.state === 'private' || now?.state === 'removed' ? now.state : null
  one.wasWithdrawn = true
  return `mail: letter ${one.n} ${act} ${told}`
}

/** The company changes its rules; the process starts anew with them. */
export const otherRules: Step = async (run) => {
  const { post, ground, chance } = run
  if (post === null) return null
  const others = (Object.keys(MOODS) as MoodName[]).filter((name) => name !== ground.rules.mood)
  ground.rules.mood = chance.pick(others)
  post.moodChanged = true
  run.fired('rules changed')
  await run.replace(run.process)
  return `mail: rules are now ${ground.rules.mood}`
}

/** The vendor forgets: lists of changes, links to further pages, tokens, subscriptions. */
export const forgetting: Step = ({ post, ground, chance, fired }) => {
  const { mail } = ground
  if (post === null || mail === null) return null
  const what = chance.weighted({ history: 3, delta: 3, links: 1, tokens: 4, subscription: 2 })
  switch (what) {
    case 'history': {
      const rep = chance.pick<Rep>([ANN, BOB])
      mail.google.people.expireHistory(rep)
      post.gaps.add(rep)
      fired('history expired')
      return `mail: the history of ${rep} is forgotten`
    }
    case 'delta':
      if (chance.maybe(0.4)) mail.graph.vendor.expireDelta(CLEO)
      else mail.graph.vendor.expireDelta(CLEO, chance.pick(['inbox', 'sentitems']))
      mail.graph.switches.expiry = chance.pick([
        'gone',
        'gone-with-location',
        'not-found',
        'bad-request',
      ] as const)
      post.gaps.add(CLEO)
      fired('delta expired')
      break
    case 'links':
      mail.graph.vendor.expireNextLinks(CLEO)
      break
    case 'tokens':
      mail.google.people.expireAccessTokens()
      mail.graph.expireTokens()
      fired('tokens expired')
      break
    case 'subscription':
      chance.pick([
        () => mail.graph.vendor.requireReauthorization(),
        () => mail.graph.vendor.removeSubscription(),
        () => mail.graph.vendor.missNotifications(),
      ])()
      break
  }
  return `mail: ${what} forgotten`
}

/** What the vendors do badly at times, beside faults. */
export const quirks: Step = ({ ground, chance }) => {
  const { mail } = ground
  if (mail === null) return null
  const isOn = chance.maybe(0.6)
  if (isOn) Object.assign(mail.graph.switches, TRAPS, { lostMoves: 0.3, deadNextLinks: 0.05 })
  mail.google.switches.emptyHistoryPages = isOn
  return `mail: quirks ${isOn}`
}

/** One look at the mail alone, in a slice of time. */
export const mailPass: Step = async (run) => {
  if (run.post === null) return null
  const name = run.chance.pick(MAIL)
  await run.work(`mail ${name}`, (hub) => mailConnection(hub, name, 'none'))
  return null
}
