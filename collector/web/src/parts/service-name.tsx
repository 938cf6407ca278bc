import { serviceColour } from "./service-colours.ts";

interface ServiceNameProps {
  readonly service: string;
  readonly colour?: number | undefined;
}

/** A service's name beside its hue; the name says it all, the hue only helps the eye. */
export function ServiceName({ service, colour = serviceColour(service) }: ServiceNameProps) {
  return (
    <span className="service-name" title={service}>
      <i className={`service-dot service-${colour}`} aria-hidden="true" />
      <span>{service}</span>
    </span>
  );
}
