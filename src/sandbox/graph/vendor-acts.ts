import type { LifecycleEvent } from './notifications.ts'
import { addressesOf, findFolder, type GraphState, type Mailbox } from './state.ts'
import type { Subscription } from './subscription.ts'

export type GraphVendor = ReturnType<typeof vendorActs>

/** What the vendor does by itself, on a test's word. */
export function vendorActs(state: GraphState) {
  const mailboxAt = (address: string): Mailbox => {
    const user = state.users.find((one) => addressesOf(one).includes(address.toLowerCase()))
    const mailbox = user === undefined ? undefined : state.mailboxes.get(user.id)
    if (mailbox === undefined) throw new Error(`No mailbox ${address}`)
    return mailbox
  }
  /** One folder's feed, or all of a mailbox. */
  const feedsOf = (address: string, folder: string | undefined) => {
    const mailbox = mailboxAt(address)
    if (folder === undefined)
      return [
        mailbox.folderFeed,
        mailbox.contactFolderFeed,
        ...[...mailbox.folders.values()].map(({ feed }) => feed),
        ...[...mailbox.contactFolders.values()].map(({ feed }) => feed),
      ]
    const found = findFolder(mailbox, folder) ?? mailbox.contactFolders.get(folder)
    if (found === undefined) throw new Error(`${address} has no folder ${folder}`)
    return [found.feed]
  }
  const lifecycle = (event: LifecycleEvent, wanted: (subscription: Subscription) => boolean): void => {
    for (const subscription of [...state.subscriptions.values()].filter(wanted)) {
      if (event === 'subscriptionRemoved') state.subscriptions.delete(subscription.id)
      if (event === 'reauthorizationRequired') subscription.paused = true
      state.notifications.lifecycle(subscription, event)
    }
  }

  return {
    /** Every delta token so far is forgotten, of one folder (id or well-known name) or of the whole mailbox. */
    expireDelta(mailbox: string, folder?: string): void {
      for (const feed of feedsOf(mailbox, folder)) feed.generation += 1
    },
    /** Only the links to further pages are. */
    expireNextLinks(mailbox: string, folder?: string): void {
      for (const feed of feedsOf(mailbox, folder)) feed.pageGeneration += 1
    },
    /** Of one subscription, or of all. Until it is reauthorised, what happens is never told. */
    requireReauthorization: (id?: string) =>
      lifecycle('reauthorizationRequired', (one) => id === undefined || one.id === id),
    removeSubscription: (id?: string) =>
      lifecycle('subscriptionRemoved', (one) => id === undefined || one.id === id),
    /** Some notifications did not get through. */
    missNotifications: (id?: string) => lifecycle('missed', (one) => id === undefined || one.id === id),
  }
}
