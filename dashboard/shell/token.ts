const KEPT_AS = 'zael-token'

/**
 * The token of this tab: from `#token=…` in the address, which no server sees and which is taken out of it, or from the
 * session storage, which ends with the tab.
 */
export const readToken = (): string | undefined => {
  const given = new URLSearchParams(location.hash.slice(1)).get('token')
  if (given) {
    history.replaceState(null, '', location.pathname + location.search)
    keepToken(given)
  }
  return sessionStorage.getItem(KEPT_AS) ?? undefined
}

export const keepToken = (token: string): void => sessionStorage.setItem(KEPT_AS, token)
export const forgetToken = (): void => sessionStorage.removeItem(KEPT_AS)
