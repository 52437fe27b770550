/** What the middleware leaves for the routes. */
export type Env = {
  Variables: {
    requestId: string
    /** The name of the API token. */
    caller: string
  }
}
