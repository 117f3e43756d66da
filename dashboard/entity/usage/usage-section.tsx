export const UsageSection = ({ entityId }: { readonly entityId: string }) => <p class="quiet">{entityId}</p>
