import { z } from 'zod'

/** What is read of Graph v1.0. Property names are Graph's; what is not read is dropped here. */

const text = z.string().nullish()
const texts = z
  .array(z.string().nullable())
  .nullish()
  .transform((list) => (list ?? []).flatMap((one) => (one === null || one.trim() === '' ? [] : [one])))

export const page = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
})

/** https://learn.microsoft.com/en-us/graph/delta-query-overview#resource-representation-in-the-delta-query-response */
export const removed = z.object({ id: z.string(), '@removed': z.looseObject({}) })
export const idOnly = z.object({ id: z.string() })

const recipient = z.object({ emailAddress: z.object({ name: text, address: text }).nullish() }).nullish()
const recipients = z
  .array(recipient)
  .nullish()
  .transform((list) => list ?? [])
export type RecipientWire = z.output<typeof recipient>

/** https://learn.microsoft.com/en-us/graph/api/resources/message */
export const message = z.object({
  id: z.string(),
  '@odata.type': z.string().optional(),
  parentFolderId: text,
  internetMessageId: text,
  internetMessageHeaders: z.array(z.object({ name: text, value: text }).nullable()).nullish(),
  subject: text,
  body: z.object({ contentType: text, content: text }).nullish(),
  from: recipient,
  sender: recipient,
  toRecipients: recipients,
  ccRecipients: recipients,
  bccRecipients: recipients,
  replyTo: recipients,
  receivedDateTime: text,
  sentDateTime: text,
  hasAttachments: z.boolean().nullish(),
  isDraft: z.boolean().nullish(),
  categories: texts,
  meetingMessageType: text,
})
export type MessageWire = z.output<typeof message>

/**
 * Without `meetingMessageType`, which delta refuses to select: the type of the item says as much.
 * https://github.com/microsoftgraph/microsoft-graph-docs/issues/2211
 */
export const MESSAGE_FIELDS = [
  'id',
  'parentFolderId',
  'internetMessageId',
  'internetMessageHeaders',
  'subject',
  'body',
  'from',
  'sender',
  'toRecipients',
  'ccRecipients',
  'bccRecipients',
  'replyTo',
  'receivedDateTime',
  'sentDateTime',
  'hasAttachments',
  'isDraft',
  'categories',
].join()

/** https://learn.microsoft.com/en-us/graph/api/resources/mailfolder */
export const folder = z.object({
  id: z.string(),
  displayName: text,
  parentFolderId: text,
  totalItemCount: z.number().nullish(),
})
export const FOLDER_FIELDS = 'id,displayName,parentFolderId,totalItemCount'

/** https://learn.microsoft.com/en-us/graph/api/resources/attachment */
export const attachment = z.object({
  name: text,
  contentType: text,
  size: z.number().nullish(),
  isInline: z.boolean().nullish(),
})

/** https://learn.microsoft.com/en-us/graph/api/resources/user */
export const user = z.object({
  id: z.string(),
  displayName: text,
  mail: text,
  userPrincipalName: text,
  otherMails: texts,
  proxyAddresses: texts,
})
export type UserWire = z.output<typeof user>
export const USER_FIELDS = 'id,displayName,mail,userPrincipalName,otherMails,proxyAddresses'

/** https://learn.microsoft.com/en-us/graph/api/resources/subscription */
export const subscription = z.object({
  id: z.string(),
  expirationDateTime: z.string(),
  resource: text,
  notificationUrl: text,
})

/** https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks */
export const notifications = z.object({
  value: z.array(
    z.object({
      subscriptionId: z.string(),
      clientState: text,
      resource: text,
      changeType: text,
      lifecycleEvent: text,
      resourceData: z.looseObject({ '@odata.etag': text }).nullish(),
    }),
  ),
})
export type NotificationWire = z.output<typeof notifications>['value'][number]

/** https://learn.microsoft.com/en-us/graph/errors */
export const errorBody = z.object({ error: z.object({ code: text, message: text }) })
