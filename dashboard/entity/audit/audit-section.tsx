export const AuditSection = ({ entityId }: { readonly entityId: string }) => <p class="quiet">{entityId}</p>
