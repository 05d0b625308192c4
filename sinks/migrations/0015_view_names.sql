-- ClickHouse knows an insert that comes again by its token, and the rows that a view makes of it by token and view: by
-- the view's name, but after an ALTER of the view by its UUID until the server starts again (26.9). An insert of before
-- that start would be taken for new in what the view fills. A view that is renamed goes by its name at once.

RENAME TABLE IF EXISTS intervals_to_flows TO intervals_to_flows_renamed;

RENAME TABLE IF EXISTS intervals_to_flows_renamed TO intervals_to_flows;

RENAME TABLE IF EXISTS intervals_to_traffic_1m TO intervals_to_traffic_1m_renamed;

RENAME TABLE IF EXISTS intervals_to_traffic_1m_renamed TO intervals_to_traffic_1m;

RENAME TABLE IF EXISTS anomalies_to_1m TO anomalies_to_1m_renamed;

RENAME TABLE IF EXISTS anomalies_to_1m_renamed TO anomalies_to_1m;
