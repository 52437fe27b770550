import { afterEach, beforeEach, expect, it } from 'vitest'
import { MAILCHIMP, MAILCHIMP_KEY, openDesk, STRIPE, STRIPE_KEY, type Desk } from './support.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk.close())

it('saves nothing when the vendor refuses the credentials', async () => {
  desk.env['CONCORD_STRIPE_API_KEY'] = 'sk_test_wrong'
  const { code, err } = await desk.run('connections', 'add', 'stripe', '--set', `baseUrl=${STRIPE}`)
  expect(code).toBe(1)
  expect(err).toContain('Nothing was saved')
  expect(err).not.toContain('sk_test_wrong')
  expect((await desk.json('connections', 'list')).value).toContainEqual(
    expect.objectContaining({ name: 'stripe', state: 'missing' }),
  )
})

it('says which setting is wrong and what it may be', async () => {
  desk.env['CONCORD_MAILCHIMP_API_KEY'] = MAILCHIMP_KEY
  const { code, err } = await desk.run('connections', 'add', 'mailchimp', '--set', `baseUrl=${MAILCHIMP}`)
  expect(code).toBe(1)
  expect(err).toContain(`${desk.mailchimp.audience.id} (Newsletter)`)
  expect(err).toContain('--set list=')
})

it('names the variable of a credential that nobody can be asked for', async () => {
  const { code, err } = await desk.run('connections', 'add', 'stripe')
  expect(code).toBe(2)
  expect(err).toContain('CONCORD_STRIPE_API_KEY')
})

it('asks a person for the credential, and warns of one on the command line', async () => {
  desk.answers.push(STRIPE_KEY)
  expect(await desk.run('connections', 'add', 'stripe', '--set', `baseUrl=${STRIPE}`)).toMatchObject({
    code: 0,
  })
  const again = await desk.run('connections', 'add', 'stripe', '--secret', `apiKey=${STRIPE_KEY}`)
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('connected anew') })
  expect(again.err).toContain('shell history')
  expect(again.out + again.err).not.toContain(STRIPE_KEY)
})

it('keeps the credentials it has where none are given', async () => {
  await desk.connect()
  delete desk.env['CONCORD_STRIPE_API_KEY']
  expect(await desk.run('connections', 'add', 'stripe')).toMatchObject({ code: 0 })
  expect(await desk.run('connections', 'check', 'stripe')).toMatchObject({ code: 0 })
})

it('subscribes to webhooks, with the secret in the URL only where the vendor signs nothing', async () => {
  await desk.connect()
  for (const name of ['mailchimp', 'stripe']) {
    const added = await desk.run('connections', 'add', name, '--webhook-url', 'https://hub.example.com')
    expect(added).toMatchObject({
      code: 0,
      out: expect.stringContaining(`https://hub.example.com/webhooks/${name}.`),
    })
    expect(added.out + added.err).not.toMatch(/secret=|whsec_/)
  }
})

it('explains how a connection gets into the configuration', async () => {
  expect(await desk.run('connections', 'add', 'strpe')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Did you mean stripe?'),
  })
  expect(await desk.run('connections', 'add', 'eu-stripe', '--connector', 'stripe')).toMatchObject({
    code: 2,
    err: expect.stringContaining('copy my-config/stripe.yaml to my-config/eu-stripe.yaml'),
  })
})

it('removes a connection only after a yes', async () => {
  await desk.connect()
  expect(await desk.run('connections', 'remove', 'stripe')).toMatchObject({ code: 2 })
  desk.answers.push('n')
  expect(await desk.run('connections', 'remove', 'stripe')).toMatchObject({
    code: 2,
    err: 'Nothing was done.\n',
  })
  desk.answers.push('y')
  expect(await desk.run('connections', 'remove', 'stripe')).toMatchObject({ code: 0 })
  expect(await desk.run('sync', 'stripe')).toMatchObject({
    code: 2,
    err: expect.stringContaining('not added yet'),
  })
})

it('refuses the credentials of another account, whose objects are not the linked ones', async () => {
  await desk.connect()
  desk.stripe.state.account.id = 'acct_other'
  expect(await desk.run('connections', 'add', 'stripe')).toMatchObject({
    code: 2,
    err: expect.stringContaining('another account'),
  })
})
