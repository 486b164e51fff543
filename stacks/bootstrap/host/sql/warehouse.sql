GRANT CONNECT ON DATABASE :"database" TO dashboard_reader, analyst;
ALTER ROLE dashboard_reader SET default_transaction_read_only = on;
ALTER ROLE dashboard_reader SET statement_timeout = '60s';
-- Whatever an analyst or a tool of theirs asks for, loads and the dashboard find a connection, and the data volume its room.
ALTER ROLE analyst SET default_transaction_read_only = on;
ALTER ROLE analyst SET statement_timeout = '5min';
ALTER ROLE analyst SET idle_in_transaction_session_timeout = '1min';
ALTER ROLE analyst SET temp_file_limit = '2GB';
ALTER ROLE analyst CONNECTION LIMIT 15;
