import type { Scene } from '../scene.ts'
import { customerAt, handedBack, held, someoneKnownEverywhere } from '../sights.ts'
import type { World } from '../world.ts'

/** Words that the CSV stream reads as an opt-out. */
const OUT = ['true', 'yes', 'y', '1', 'x']

/** One unsubscribe reaches every system, and an old copy of the profile does not undo it. */
export async function unsubscribe(world: World, scene: Scene): Promise<void> {
  const { hub, vendors } = world
  const someone = await someoneKnownEverywhere(world)
  const { id, name, email, customer, row } = someone
  const consent = () => held(hub, id, 'emailConsent')

  await scene.step(async () => {
    scene.same('The consent before', await consent(), 'in')
    vendors.mailchimp.unsubscribe(email)
    await scene.until('the hub knows', consent, (seen) => seen === 'out')
    return `${name} unsubscribes from a newsletter; Mailchimp calls, and the hub has it.`
  })
  await scene.step(async () => {
    await scene.until(
      'Stripe knows',
      () => customerAt(world, customer).metadata['email_opt_out'],
      (seen) => seen === 'true',
    )
    return 'Stripe: the customer is marked as opted out.'
  })
  await scene.step(async () => {
    await scene.until(
      'the CSV file says so',
      async () => (await handedBack(world, row))?.['unsubscribed'],
      (seen) => OUT.includes(seen ?? ''),
    )
    return 'CSV: the file for the old CRM says unsubscribed.'
  })
  await scene.step(async () => {
    // Somebody uploads an old list at Stripe: a new job title, and a consent from before.
    vendors.stripe.edit(customer, { metadata: { email_opt_out: 'false', job_title: 'Head of Archives' } })
    await scene.until(
      'the profile part arrives',
      () => vendors.mailchimp.member(email)?.fields['JOBTITLE'],
      (seen) => seen === 'Head of Archives',
    )
    return 'Later an old list is uploaded at Stripe. Its job title goes everywhere …'
  })
  await scene.step(async () => {
    await scene.until(
      'Stripe is put right',
      () => customerAt(world, customer).metadata['email_opt_out'],
      (seen) => seen === 'true',
    )
    scene.same('The consent in the hub', await consent(), 'out')
    scene.same('The status at Mailchimp', vendors.mailchimp.member(email)?.status, 'unsubscribed')
    return '… its “not opted out” goes nowhere: still out in the hub and at Mailchimp, and Stripe is put right.'
  })
}
