import { openWorld, type World } from './world.ts'

/** Mailchimp and Stripe give Ada two job titles, and the policy asks; nothing is synced yet. */
export async function openConflict(): Promise<World> {
  const world = await openWorld({
    connections: ['mailchimp', 'stripe'],
    configure: (name, text) =>
      name === 'policies.yaml' ? text.replace(/jobTitle: .*/, 'jobTitle: ask') : text,
  })
  world.mailchimp.admin.subscribe('ada@example.com', { FNAME: 'Ada', JOBTITLE: 'Countess' })
  world.stripe.admin.createCustomer({
    email: 'ada@example.com',
    name: 'Ada',
    metadata: { job_title: 'Analyst' },
  })
  return world
}
