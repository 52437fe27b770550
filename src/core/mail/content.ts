import { unreachable } from '../json.ts'
import type { Attachment, MailMessage } from './message.ts'
import type { ContentLevel } from './rules.ts'

export type Kept = {
  readonly subject: string | null
  readonly text: string | null
  readonly quoted: string | null
  readonly signature: string | null
  readonly html: string | null
  readonly attachments: readonly Attachment[]
}

const NOTHING: Kept = {
  subject: null,
  text: null,
  quoted: null,
  signature: null,
  html: null,
  attachments: [],
}

/** What is stored of a logged message. Names of attachments are content: `subject` leaves them out. */
export function keep(message: Kept | MailMessage, level: ContentLevel): Kept {
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
