export function serveFlood(): Promise<{ url: string; close(): void }>;
