# The page in one language.

page_theme <- bslib::bs_theme(version = 5, preset = "shiny") # once, for it takes as long as the rest of the page

panels <- function(...) tags$div(class = "panels", ...)

#' Every tab's body, which no visitor's choice changes: made once a language, as the text it is on the page.
tab_bodies <- function(t) {
  bodies <- lapply(stats::setNames(nm = tab_names), function(name) get(paste0(name, "_ui"))(name, t))
  lapply(bodies, function(body) {
    rendered <- htmltools::renderTags(body)
    htmltools::attachDependencies(rendered$html, rendered$dependencies)
  })
}

page_ui <- function(arrived, bodies, t) {
  state <- arrived$state
  tabs <- lapply(tab_names, function(name) bslib::nav_panel(tab_title(name, t), value = name, bodies[[name]]))
  bslib::page_navbar(
    id = "tab", selected = state$tab, title = tags$h1(t("title")), window_title = t("title"), lang = state$lang, theme = page_theme,
    sidebar = bslib::sidebar(
      id = "filters", title = t("filters"), width = 270, open = list(desktop = "open", mobile = "closed"),
      filters(state, arrived$choices, arrived$newest_day, t)
    ),
    header = tags$div(
      tags$head(
        tags$link(rel = "icon", type = "image/svg+xml", href = "assets/icon.svg"),
        tags$link(rel = "stylesheet", href = "assets/app.css"), tags$script(src = "assets/app.js", defer = NA)
      ),
      htmlOutput("banner", `aria-live` = "polite"), htmlOutput("chips"), first_visit(t),
      tags$div(
        id = "said", class = "visually-hidden", `aria-live` = "polite", `data-menu` = t("menu"), `data-sidebar` = t("filters"),
        `data-theme` = t("dark")
      ),
      tags$div(class = "lost", role = "alert", tags$p(t("lost")), tags$a(href = "", t("reload")))
    ),
    !!!tabs, bslib::nav_item(htmlOutput("languages")), bslib::nav_item(bslib::input_dark_mode(id = "theme"))
  )
}

#' Raised alerts are counted beside the tab's name.
tab_title <- function(name, t) {
  title <- t(paste0("tab.", name))
  if (name == "alerts") tagList(title, htmlOutput("alert_count", inline = TRUE)) else title
}

first_visit <- function(t) {
  tags$div(
    id = "first-visit", class = "alert alert-info alert-dismissible", role = "note", hidden = NA, t("first_visit"),
    tags$button(type = "button", class = "btn-close", `data-bs-dismiss` = "alert", `aria-label` = t("close"))
  )
}

#' The same view in the other language.
language_links <- function(state, t) {
  tags$div(class = "languages", role = "group", `aria-label` = t("language"), lapply(languages, function(lang) {
    tags$a(
      class = "btn btn-sm btn-outline-secondary", href = state_query(utils::modifyList(state, list(lang = lang))), lang = lang,
      `aria-current` = if (lang == state$lang) "true", toupper(lang), tags$span(class = "visually-hidden", t(paste0("language.", lang)))
    )
  }))
}
