-- The database is its owner's; nobody else comes in but those named here and in the role set's own file.
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :"owner";
REVOKE ALL ON DATABASE :"database", postgres, template1 FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO :"network_role";
\connect :"database"
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
