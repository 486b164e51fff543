# The only way to the warehouse: one read-only connection of the process, statements from sql/, values always bound.

settings_of_session <- trimws(paste(
  Sys.getenv("PGOPTIONS"), # may name a role to take
  "-c default_transaction_read_only=on -c statement_timeout=20s -c jit=off -c work_mem=64MB -c TimeZone=UTC"
))

#' Connection details come from libpq's own variables (PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD or PGPASSFILE).
connect_warehouse <- function() {
  Sys.setenv(
    PGCONNECT_TIMEOUT = "3", PGAPPNAME = "dashboard", PGCLIENTENCODING = "UTF8", PGOPTIONS = settings_of_session
  )
  DBI::dbConnect(
    RPostgreSQL::PostgreSQL(),
    host = Sys.getenv("PGHOST"), port = Sys.getenv("PGPORT", "5432"),
    dbname = Sys.getenv("PGDATABASE", "clickstream_dw"), user = Sys.getenv("PGUSER", "dashboard_reader"),
    password = Sys.getenv("PGPASSWORD")
  )
}

read_statements <- function(folder) {
  files <- list.files(folder, pattern = "[.]sql$", full.names = TRUE)
  texts <- lapply(files, function(file) paste(readLines(file, encoding = "UTF-8"), collapse = "\n"))
  stats::setNames(texts, sub("[.]sql$", "", basename(files)))
}

warehouse_down <- function(cause) {
  structure(class = c("warehouse_down", "error", "condition"), list(message = conditionMessage(cause), call = NULL))
}

#' `query(name, values)` runs a statement of sql/ with `values` bound to $1, $2, … in order.
#' @return a data frame; with no row it still has the statement's columns only when the server names them
#' @raise a condition of class `warehouse_down` when the server cannot be reached or refuses the statement
open_warehouse <- function(statements, connect = connect_warehouse) {
  connection <- NULL
  failures <- 0 # part of every cache key, so that a failure is never served from the cache
  close <- function() {
    if (!is.null(connection)) try(suppressWarnings(DBI::dbDisconnect(connection)), silent = TRUE)
    connection <<- NULL
  }
  run <- function(statement, values) {
    if (is.null(connection)) connection <<- connect()
    # not dbGetQuery: RPostgreSQL's turns an error into NULL
    result <- suppressWarnings(DBI::dbSendQuery(connection, statement, bound(values)))
    on.exit(suppressWarnings(DBI::dbClearResult(result)))
    DBI::fetch(result, n = -1)
  }
  query <- function(name, values = list()) {
    statement <- statements[[name]]
    if (is.null(statement)) stop("no statement named ", name)
    fail <- function(cause) {
      close()
      failures <<- failures + 1
      stop(warehouse_down(cause))
    }
    fresh <- is.null(connection)
    tryCatch(run(statement, values), error = function(first) {
      if (fresh) fail(first)
      # the server may have restarted since the last query: once more on a new connection
      close()
      tryCatch(run(statement, values), error = fail)
    })
  }
  list(query = query, close = close, failures = function() failures)
}

#' RPostgreSQL sends parameters as text and cannot send NULL; '' stands for "not set" in every statement.
bound <- function(values) {
  vapply(unname(values), function(value) {
    if (length(value) == 0 || is.na(value)) "" else format(value, scientific = FALSE, trim = TRUE)
  }, "")
}
