import { z } from 'zod'

/** What of Google's replies is read. Lists and labels that are empty are left out of them altogether. */

const token = z
  .string()
  .nullish()
  .transform((text) => (text === undefined || text === '' ? null : text))

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users/getProfile */
export const profileWire = z.object({
  emailAddress: z.string().min(1),
  historyId: z.string().min(1),
  messagesTotal: z.number().nullish(),
})

const changed = z.object({ message: z.object({ id: z.string().min(1) }) })
const relabelled = changed.extend({ labelIds: z.array(z.string()).nullish() })

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list */
export const historyWire = z.object({
  history: z
    .array(
      z.object({
        messagesAdded: z.array(changed).nullish(),
        messagesDeleted: z.array(changed).nullish(),
        labelsAdded: z.array(relabelled).nullish(),
        labelsRemoved: z.array(relabelled).nullish(),
      }),
    )
    .nullish(),
  historyId: z.string().nullish(),
  nextPageToken: token,
})
export type HistoryWire = z.output<typeof historyWire>

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/list */
export const listWire = z.object({
  messages: z.array(z.object({ id: z.string().min(1) })).nullish(),
  nextPageToken: token,
  resultSizeEstimate: z.number().nullish(),
})

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages with `format=raw` */
export const messageWire = z.object({
  id: z.string().min(1),
  labelIds: z
    .array(z.string())
    .nullish()
    .transform((ids) => ids ?? []),
  /** Milliseconds, as text. */
  internalDate: z.string().regex(/^-?\d{1,15}$/),
  /** The whole message in base64url. */
  raw: z.string().min(1),
})

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels/list */
export const labelsWire = z.object({
  labels: z
    .array(z.object({ id: z.string().min(1), name: z.string(), type: z.string().nullish() }))
    .nullish(),
})

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.settings.sendAs/list */
export const sendAsWire = z.object({
  sendAs: z
    .array(
      z.object({
        sendAsEmail: z.string(),
        isPrimary: z.boolean().nullish(),
        verificationStatus: z.string().nullish(),
      }),
    )
    .nullish(),
})

/** https://developers.google.com/workspace/gmail/api/reference/rest/v1/users/watch; `expiration` in milliseconds. */
export const watchWire = z.object({ expiration: z.coerce.number().positive() })

/** https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list */
export const usersWire = z.object({
  users: z
    .array(
      z.object({
        primaryEmail: z.string().min(1),
        suspended: z.boolean().nullish(),
        archived: z.boolean().nullish(),
        isMailboxSetup: z.boolean().nullish(),
      }),
    )
    .nullish(),
  nextPageToken: token,
})

/** https://cloud.google.com/pubsub/docs/push#receive_push */
export const pushWire = z.object({
  message: z.object({ messageId: z.string().min(1), data: z.string().nullish() }),
})

/** https://developers.google.com/workspace/gmail/api/guides/push#receiving_notifications */
export const noticeWire = z.object({ emailAddress: z.string().min(3) })
