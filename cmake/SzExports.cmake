# Symbol versions of the shared library: what src/EXPORTS calls stable is SZILARD_0, the rest is
# SZILARD_UNSTABLE, so that a program built on unstable calls says so itself (nm -D, readelf -V).
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/EXPORTS)
file(STRINGS ${CMAKE_SOURCE_DIR}/src/EXPORTS stable REGEX "^stable ")
list(TRANSFORM stable REPLACE "^stable " "        ")
list(JOIN stable ";\n" stable)
set(versions ${CMAKE_BINARY_DIR}/szilard.versions)
file(CONFIGURE OUTPUT ${versions} CONTENT
"SZILARD_0 {
    global:
@stable@;
};
SZILARD_UNSTABLE {
    global:
        sz_*;
};
")
target_link_options(szilard_shared PRIVATE -Wl,--version-script=${versions})
if(NOT SZ_SANITIZE) # whose functions come from the program
  target_link_options(szilard_shared PRIVATE -Wl,-z,defs)
endif()
set_target_properties(szilard_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
                      LINK_DEPENDS ${versions})
