/** The header of `struct virtio_net_hdr` that precedes each packet of a device with `IFF_VNET_HDR`. */
export const VNET_HEADER_BYTES = 10;

/** In the first byte: the transport checksum covers the pseudo header alone; the receiver completes it. */
export const VNET_NEEDS_CHECKSUM = 1;

/** The largest IP packet, with its header. */
export const MAX_FRAME_BYTES = VNET_HEADER_BYTES + 65_575;
