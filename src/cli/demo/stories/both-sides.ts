import { NotSo, type Scene } from '../scene.ts'
import { customerAt, handedBack, held, someoneKnownEverywhere } from '../sights.ts'
import type { World } from '../world.ts'

const PHONE = '+12025550199'

/** Two people edit one person at the same moment, in two systems. */
export async function bothSides(world: World, scene: Scene): Promise<void> {
  const { hub, vendors, programs } = world
  const { id, name, email, customer, row } = await someoneKnownEverywhere(world)
  const everywhere = async () => ({
    hub: { phone: firstOf(await held(hub, id, 'phones')), title: await held(hub, id, 'jobTitle') },
    mailchimp: {
      phone: vendors.mailchimp.member(email)?.fields['PHONE'],
      title: vendors.mailchimp.member(email)?.fields['JOBTITLE'],
    },
    stripe: {
      phone: customerAt(world, customer).phone,
      title: customerAt(world, customer).metadata['job_title'],
    },
    csv: await handedBack(world, row).then((cells) => ({
      phone: cells?.['phone'],
      title: cells?.['job_title'],
    })),
  })
  const agree = (phone: string, title: string) => (seen: Awaited<ReturnType<typeof everywhere>>) =>
    Object.values(seen).every((side) => side.phone === phone && side.title === title)

  await scene.step(async () => {
    vendors.stripe.edit(customer, { phone: PHONE })
    vendors.mailchimp.edit(email, { JOBTITLE: 'Head of Research' })
    await scene.until('both edits are everywhere', everywhere, agree(PHONE, 'Head of Research'))
    return `${name}: a new phone number in Stripe and a new job title in Mailchimp, at the same moment. Both are in the hub, in Mailchimp, in Stripe and in the CSV file.`
  })
  await scene.step(async () => {
    vendors.stripe.edit(customer, { metadata: { job_title: 'Team Assistant' } })
    vendors.mailchimp.edit(email, { JOBTITLE: 'Director of Research' })
    await scene.until('the policy has decided', everywhere, agree(PHONE, 'Director of Research'))
    return 'Then the job title in both at once: “Director of Research” in Mailchimp, “Team Assistant” in Stripe. For this field the policy prefers Mailchimp, so all four now say what Mailchimp said.'
  })
  let explained = ''
  await scene.step(async () => {
    const { code, output } = await programs.run('explain', 'contact', email, 'jobTitle')
    if (code !== 0 || !output.includes('Team Assistant'))
      throw new NotSo(
        `concord explain should tell what lost; it ended with ${code} and said: ${output.trim()}`,
      )
    explained = output
    return `concord explain contact ${email} jobTitle tells why:`
  })
  scene.quote(explained)
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value
}
