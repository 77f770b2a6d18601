-- Every event ever received, as received (sealed fields stay sealed). Read models are made from here and from nothing else.
-- Partitioned by the month of receipt, so that old months can be detached and archived.
CREATE SEQUENCE event_log_seq CACHE 1;
CREATE TABLE event_log (
    seq bigint NOT NULL DEFAULT nextval('event_log_seq'),
    received_month date NOT NULL DEFAULT date_trunc('month', now())::date,
    received_at timestamptz NOT NULL DEFAULT now(),
    event_id uuid NOT NULL,
    topic text NOT NULL,
    partition smallint NOT NULL,
    "offset" bigint NOT NULL,
    key uuid NOT NULL,
    type text NOT NULL,
    source text NOT NULL,
    occurred_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (received_month, event_id)
) PARTITION BY RANGE (received_month);
CREATE INDEX event_log_by_seq ON event_log (seq);
CREATE TABLE event_log_other PARTITION OF event_log DEFAULT;

-- The application role has no DDL; this one function makes the coming months' partitions, and nothing else.
CREATE FUNCTION event_log_extend(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date;
    made integer := 0;
BEGIN
    FOR i IN 0..least(months, 36) LOOP
        first := (date_trunc('month', now()) + make_interval(months => i))::date;
        IF to_regclass('event_log_' || to_char(first, 'YYYY_MM')) IS NULL
           AND NOT EXISTS (SELECT FROM event_log_other
                           WHERE received_month >= first AND received_month < first + interval '1 month') THEN
            EXECUTE format('CREATE TABLE event_log_%s PARTITION OF event_log FOR VALUES FROM (%L) TO (%L)',
                           to_char(first, 'YYYY_MM'), first, (first + interval '1 month')::date);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
SELECT event_log_extend(12);
