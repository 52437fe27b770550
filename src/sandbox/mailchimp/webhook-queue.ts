import { mergeFieldsView } from './view.ts'
import { currentSecond, type Actor, type Audience, type MailchimpState, type Member } from './state.ts'

/** What happened, before it is written for the hooks that want it. */
export type VendorEvent =
  | { type: 'subscribe' | 'profile'; member: Member }
  | { type: 'unsubscribe'; member: Member; action: 'unsub' | 'delete'; reason: 'manual' | 'abuse' }
  | { type: 'cleaned'; member: Member; reason: 'hard' | 'abuse' }
  | { type: 'upemail'; member: Member; oldEmail: string }

export type PendingWebhook = {
  readonly webhookId: string
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  attempts: number
}

/** Posts one webhook and answers the receiver's status; a rejection is a receiver that did not answer. */
export type Deliver = (
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
) => Promise<number>

/** Tries of one webhook before it is lost. The vendor spreads its own over 75 minutes. */
export const MAX_ATTEMPTS = 5

const DELIVERY_TIMEOUT_MS = 10_000

/** https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/ */
export class WebhookQueue {
  /** Open on purpose: a simulation shuffles, repeats and drops what is in here. */
  readonly pending: PendingWebhook[] = []
  lost = 0
  readonly #state: MailchimpState
  readonly #deliver: Deliver
  readonly #autoDeliver: boolean

  constructor(state: MailchimpState, deliver: Deliver, autoDeliver: boolean) {
    this.#state = state
    this.#deliver = deliver
    this.#autoDeliver = autoDeliver
  }

  emit(audience: Audience, actor: Actor, event: VendorEvent): void {
    for (const hook of audience.webhooks.values()) {
      if (!hook.events.get(event.type) || !hook.sources.get(actor)) continue
      const webhook: PendingWebhook = {
        webhookId: hook.id,
        url: hook.url,
        body: encodeEvent(this.#state, audience, event),
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'MailChimp' },
        attempts: 0,
      }
      if (this.#autoDeliver) void this.#deliverUntilDone(webhook)
      else this.pending.push(webhook)
    }
  }

  /** One try for everything that waits, in the order it waits in. Failures wait for the next flush. */
  async flush(): Promise<void> {
    for (const webhook of this.pending.splice(0)) {
      if ((await this.#attempt(webhook)) === 'again') this.pending.push(webhook)
    }
  }

  async #deliverUntilDone(webhook: PendingWebhook): Promise<void> {
    while ((await this.#attempt(webhook)) === 'again') {
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** webhook.attempts).unref())
    }
  }

  async #attempt(webhook: PendingWebhook): Promise<'done' | 'again'> {
    if (!this.#hookExists(webhook.webhookId)) return 'done'
    webhook.attempts += 1
    const status = await this.#deliver(webhook.url, webhook.body, webhook.headers).catch(() => null)
    if (status !== null && status >= 200 && status < 300) return 'done'
    if (status === 410) this.#disable(webhook.webhookId)
    else if (webhook.attempts < MAX_ATTEMPTS) return 'again'
    this.lost += 1
    return 'done'
  }

  #hookExists(id: string): boolean {
    return [...this.#state.audiences.values()].some((audience) => audience.webhooks.has(id))
  }

  /** "Gone" tells the vendor to stop for good. */
  #disable(id: string): void {
    for (const audience of this.#state.audiences.values()) audience.webhooks.delete(id)
  }
}

export const deliverByFetch: Deliver = async (url, body, headers) => {
  const signal = AbortSignal.timeout(DELIVERY_TIMEOUT_MS)
  const response = await fetch(url, { method: 'POST', body, headers, signal })
  await response.body?.cancel()
  return response.status
}

/** Form fields with bracket keys. `fired_at` has no zone (it is UTC) and there is no event id. */
function encodeEvent(state: MailchimpState, audience: Audience, event: VendorEvent): string {
  const form = new URLSearchParams()
  form.set('type', event.type)
  form.set('fired_at', new Date(currentSecond(state)).toISOString().slice(0, 19).replace('T', ' '))
  appendNested(form, 'data', eventData(audience, event))
  return form.toString()
}

function eventData(audience: Audience, event: VendorEvent): Record<string, unknown> {
  const { member } = event
  switch (event.type) {
    case 'subscribe':
    case 'profile':
      return profileData(audience, member)
    case 'unsubscribe':
      return { action: event.action, reason: event.reason, ...profileData(audience, member), campaign_id: '' }
    case 'cleaned':
      return { list_id: audience.id, campaign_id: '', reason: event.reason, email: member.email }
    case 'upemail':
      return {
        list_id: audience.id,
        new_id: member.uniqueEmailId,
        new_email: member.email,
        old_email: event.oldEmail,
      }
  }
}

function profileData(audience: Audience, member: Member): Record<string, unknown> {
  return {
    id: member.uniqueEmailId,
    email: member.email,
    email_type: member.emailType,
    ip_opt: member.ipOpt,
    ip_signup: member.ipSignup,
    web_id: member.webId,
    list_id: audience.id,
    merges: { EMAIL: member.email, ...mergeFieldsView(audience, member) },
  }
}

function appendNested(form: URLSearchParams, key: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return form.append(key, String(value))
  for (const [name, child] of Object.entries(value)) appendNested(form, `${key}[${name}]`, child)
}
