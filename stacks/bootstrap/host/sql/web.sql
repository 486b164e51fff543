-- The shop's application works on the tables that its owner makes.
GRANT USAGE ON SCHEMA public TO web_app;
ALTER DEFAULT PRIVILEGES FOR ROLE web_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO web_app;
ALTER DEFAULT PRIVILEGES FOR ROLE web_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO web_app;
