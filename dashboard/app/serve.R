# Starts the dashboard on the loopback interface only; the tunnel brings visitors here.
# Environment: libpq's PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD or PGPASSFILE; DASHBOARD_PORT (3838).

file_of_this <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
Sys.setenv(DASHBOARD_APP = dirname(normalizePath(file_of_this)))
source(file.path(Sys.getenv("DASHBOARD_APP"), "load.R"), encoding = "UTF-8")

# each visitor's page makes its own functions: to compile them costs more than to run them, most of all for the first one
invisible(compiler::enableJIT(0))
options(shiny.sanitize.errors = TRUE, shiny.autoload.r = FALSE)
shiny::runApp(
  make_app(), host = "127.0.0.1", port = as.integer(Sys.getenv("DASHBOARD_PORT", "3838")), launch.browser = FALSE
)
