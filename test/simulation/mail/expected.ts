import { isGmail, isOurs, type Mood, MOODS } from './moods.ts'
import type { Place } from './place.ts'
import type { Copy, Written } from './post.ts'

/** What is true at the end, as far as it decides what becomes of mail. */
export type World = {
  readonly mood: Mood
  readonly moodChanged: boolean
  /** Addresses of living contacts, and of all that ever were. */
  readonly contacts: ReadonlySet<string>
  readonly everContacts: ReadonlySet<string>
}

/** `logged`, `gone`, `absent` (never shown to the hub), or why it was left out. */
export type Outcome = string

const REASONS =
  'draft chat spam trash private blocked bounce calendar automatic bulk internal stranger withdrawn'.split(
    ' ',
  )

/** What may have become of one copy, by what its author and its owner did. Mostly one thing. */
export function expected(copy: Copy, place: Place, world: World): ReadonlySet<Outcome> {
  const otherwise = byContent(copy, place.names, world)
  const stays = copy.settled === 'logged' && !world.moodChanged && !copy.of.wasWithdrawn
  const onlyTrashed = copy.acts.every((act) => act === 'trash')
  switch (place.kind) {
    case 'in':
      return otherwise
    case 'draft':
      return new Set(['draft', ...unlisted(copy)])
    case 'chat':
      return new Set(['chat', ...unlisted(copy)])
    case 'spam':
      return new Set(['spam', ...unlisted(copy)])
    case 'trash':
      // Logged mail stays logged in the trash; what is met there first is left out.
      return stays && onlyTrashed && otherwise.size === 1 && otherwise.has('logged')
        ? otherwise
        : new Set(['trash', ...otherwise, ...unlisted(copy)])
    case 'gone': {
      if (copy.mayLinger) return new Set([...REASONS, 'logged', 'gone', 'absent'])
      const wasShown = copy.settled !== null && copy.settled !== 'absent'
      return wasShown && !world.moodChanged ? new Set(['gone']) : new Set([...REASONS, 'gone', 'absent'])
    }
  }
}

/** Gmail lists neither spam nor trash nor drafts from before. */
const unlisted = ({ rep }: Copy): readonly Outcome[] => (isGmail(rep) ? ['absent'] : [])

/** What is out stays out under the reason it met first, where rules that changed since do not let it in. */
function byContent(copy: Copy, names: readonly string[], world: World): ReadonlySet<Outcome> {
  const now = underRules(copy, names, world)
  if (now.has('logged')) return now
  const before = Object.values(MOODS).flatMap((mood) => [...underRules(copy, names, { ...world, mood })])
  return new Set([...now, ...before.filter((outcome) => outcome !== 'logged')])
}

function underRules(copy: Copy, names: readonly string[], world: World): ReadonlySet<Outcome> {
  const { mood } = world
  const { of } = copy
  const reason = keptOut(copy, names, mood)
  if (reason !== null) return new Set([reason])
  if (of.withdrawn !== null) return new Set(['withdrawn'])
  const people = othersIn(copy)
  if (mood.strangers === 'log' || people.some((address) => world.contacts.has(address)))
    return new Set(['logged'])
  // Once logged it stays, though its contact is gone by now.
  return people.some((address) => world.everContacts.has(address))
    ? new Set(['logged', 'stranger'])
    : new Set(['stranger'])
}

function keptOut({ of }: Copy, names: readonly string[], mood: Mood): Outcome | null {
  const said = names.map((name) => name.toLowerCase())
  if (said.some((name) => mood.privateLabels.includes(name))) return 'private'
  const { from, to, cc, bcc } = of.letter
  const everybody = [...(from === null ? [] : [from]), ...to, ...cc, ...bcc].map(({ address }) => address)
  if (everybody.some((address) => mood.blocked.some((domain) => address.endsWith(`@${domain}`))))
    return 'blocked'
  return byKind(of, mood)
}

function byKind({ kind }: Written, mood: Mood): Outcome | null {
  switch (kind) {
    case 'bounce':
    case 'calendar':
    case 'internal':
      return kind
    case 'automatic':
      return mood.automatic === 'filter' ? 'automatic' : null
    case 'newsletter':
      return mood.bulk === 'filter' ? 'bulk' : null
    case 'plain':
    case 'draft':
    case 'chat':
      return null
  }
}

/** Whom this copy shows, other than us. */
export function othersIn({ of, isOwn }: Copy): readonly string[] {
  const { from, to, cc, bcc } = of.letter
  const shown = [...(from === null ? [] : [from]), ...to, ...cc, ...(isOwn ? bcc : [])]
  return [...new Set(shown.map(({ address }) => address.toLowerCase()))].filter((address) => !isOurs(address))
}
