/** Who answers mail: two in one system, one in another. */
export const ANN = 'ann@ours.example'
export const BOB = 'bob@ours.example'
export const CLEO = 'cleo@ours.example'
export const REPS = [ANN, BOB, CLEO] as const
export type Rep = (typeof REPS)[number]

export const isGmail = (rep: Rep): boolean => rep !== CLEO
export const isOurs = (address: string): boolean => address.endsWith('@ours.example')

export type Level = 'none' | 'subject' | 'full'

/** What the company has its hub do with mail. It changes its mind between passes. */
export type Mood = {
  readonly content: Readonly<Record<Rep, Level>>
  readonly blocked: readonly string[]
  readonly privateLabels: readonly string[]
  readonly bulk: 'filter' | 'log'
  readonly automatic: 'filter' | 'log'
  readonly strangers: 'filter' | 'log'
  readonly deleted: 'keep' | 'remove'
}

export const MOODS = {
  usual: {
    content: { [ANN]: 'full', [BOB]: 'subject', [CLEO]: 'full' },
    blocked: [],
    privateLabels: ['private', 'personal', 'confidential'],
    bulk: 'filter',
    automatic: 'filter',
    strangers: 'filter',
    deleted: 'keep',
  },
  strict: {
    content: { [ANN]: 'subject', [BOB]: 'none', [CLEO]: 'subject' },
    blocked: ['company3.example'],
    privateLabels: ['private', 'personal', 'confidential', 'projects'],
    bulk: 'filter',
    automatic: 'filter',
    strangers: 'filter',
    deleted: 'remove',
  },
  open: {
    content: { [ANN]: 'full', [BOB]: 'full', [CLEO]: 'full' },
    blocked: [],
    privateLabels: ['confidential'],
    bulk: 'log',
    automatic: 'log',
    strangers: 'log',
    deleted: 'keep',
  },
} as const satisfies Record<string, Mood>
export type MoodName = keyof typeof MOODS

/** A connection file that ships, as the company has it in this mood. */
export function inMood(text: string, name: MoodName, reps: readonly Rep[]): string {
  const mood: Mood = MOODS[name]
  const list = (items: readonly string[]) => `[${items.join(', ')}]`
  const rules: Readonly<Record<string, string>> = {
    content: 'full',
    blocked: list(mood.blocked),
    privateLabels: list(mood.privateLabels),
    bulk: mood.bulk,
    automatic: mood.automatic,
    strangers: mood.strangers,
    deleted: mood.deleted,
  }
  // What a person keeps in Outlook's address book is not part of the simulation.
  let adapted = text.replace(/^streams:[^]*$/m, '')
  for (const [rule, value] of Object.entries(rules)) {
    const line = new RegExp(`^  ${rule}: .*$`, 'm')
    if (!line.test(adapted)) throw new Error(`the shipped configuration says nothing of ${rule}`)
    adapted = adapted.replace(line, `  ${rule}: ${value}`)
  }
  const owners = reps.map((rep) => `    ${rep}: { content: ${mood.content[rep]} }`)
  return `${adapted.trimEnd()}\n  owners:\n${owners.join('\n')}\n`
}
