"""What goes over the wire: the events, their schemas, and the Kafka topics."""
