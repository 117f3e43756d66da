export const KeysSection = ({ entityId }: { readonly entityId: string }) => <p class="quiet">{entityId}</p>
