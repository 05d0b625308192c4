-- An address as text or as a number of IPv4 is understood too: it was cut like one of IPv6 before.
CREATE OR REPLACE FUNCTION segwatch_address AS (address) -> if(toIPv6(address) BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(toIPv6(address)), 8), toString(toIPv6(address)));

CREATE OR REPLACE FUNCTION segwatch_subnet AS (address) -> if(toIPv6(address) BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), concat(substring(toString(tupleElement(IPv6CIDRToRange(toIPv6(address), 120), 1)), 8), '/24'), concat(toString(tupleElement(IPv6CIDRToRange(toIPv6(address), 64), 1)), '/64'));
