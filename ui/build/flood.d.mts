interface Served {
  url: string;
  close(): void;
}
export function serveFlood(): Promise<Served>;
export function servePreview(name: string, policy?: string): Promise<Served>;
