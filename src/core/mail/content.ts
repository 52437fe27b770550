import { unreachable } from '../json.ts'
import type { MailContent } from './message.ts'
import type { ContentLevel } from './rules.ts'

const NOTHING: MailContent = {
  subject: null,
  text: null,
  quoted: null,
  signature: null,
  html: null,
  attachments: [],
}

/** How much a level keeps, to be compared. */
export const RANK: Readonly<Record<ContentLevel, number>> = { none: 0, subject: 1, full: 2 }

/** What is stored of a logged message. Names of attachments are content: `subject` leaves them out. */
export function keep(message: MailContent, level: ContentLevel): MailContent {
  const { subject, text, quoted, signature, html, attachments } = message
  switch (level) {
    case 'none':
      return NOTHING
    case 'subject':
      return { ...NOTHING, subject }
    case 'full':
      return { subject, text, quoted, signature, html, attachments }
    default:
      return unreachable(level)
  }
}
